/**
 * Trees of plain data as values: structure, key paths, and maps that keep the user's own types.
 */
export * as JoinPoint from "./JoinPoint.ts"
export * as KeyPath from "./KeyPath.ts"
export * as PyTree from "./PyTree.ts"
export * as TreeDef from "./TreeDef.ts"
export * from "./TreeError.ts"
