/**
 * Checkpoints of optimizer states and parameter trees.
 */
export * as Safetensors from "./Safetensors.ts"
export * from "./SerializeError.ts"
