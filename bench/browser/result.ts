/** What a contestant's step costs on a backend. */
export interface StepResult {
  readonly backend: string
  readonly case: string
  readonly contestant: string
  /** Median and least time of a step, in milliseconds. */
  readonly median: number
  readonly least: number
  /** Passes (webgl), dispatches (webgpu) or tfjs kernels (wasm) in a step. */
  readonly launches: number
  /** Bytes that the launches of optim read and write in a step; unknown of others. */
  readonly bytesRead: number | undefined
  readonly bytesWritten: number | undefined
  /** How often a step reads numbers back. */
  readonly readBacks: number
}

/** What the page does for whoever opens it. */
export interface Bench {
  readonly run: (quick: boolean) => Promise<ReadonlyArray<StepResult>>
}
