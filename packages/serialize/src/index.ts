/**
 * Checkpoints of optimizer states and parameter trees.
 */
export * as Checkpoint from "./Checkpoint.ts"
export * as CheckpointManager from "./CheckpointManager.ts"
export * as CheckpointStore from "./CheckpointStore.ts"
export * as Item from "./Item.ts"
export * as Migrations from "./Migrations.ts"
export * as Params from "./Params.ts"
export * as Safetensors from "./Safetensors.ts"
export * from "./SerializeError.ts"
