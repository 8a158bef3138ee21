/**
 * Checkpoints of optimizer states and parameter trees.
 */
export * as Checkpoint from "./Checkpoint.ts"
export * as Params from "./Params.ts"
export * as Safetensors from "./Safetensors.ts"
export * from "./SerializeError.ts"
