/** What a contestant's step costs on a backend. */
export interface StepResult {
  readonly backend: string
  readonly case: string
  readonly contestant: string
  /** Median and least time of a step, in milliseconds. */
  readonly median: number
  readonly least: number
  /** Passes (webgl), dispatches (webgpu) or tfjs kernels (wasm) in a step; unknown of jax-js on wasm. */
  readonly launches: number | undefined
  /** Bytes that the launches of optim read and write in a step; unknown of others. */
  readonly bytesRead: number | undefined
  readonly bytesWritten: number | undefined
  /** How often a step reads numbers back by way of tfjs; unknown of others. */
  readonly readBacks: number | undefined
}

/** What the page does for whoever opens it. */
export interface Bench {
  readonly run: (quick: boolean) => Promise<ReadonlyArray<StepResult>>
}
