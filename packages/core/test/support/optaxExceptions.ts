/** What of the records of Optax is not compared, and why. */

interface Exception {
  readonly pattern: RegExp
  readonly reason: string
}

export const exceptions: {
  readonly records: ReadonlyArray<Exception>
  readonly state: ReadonlyArray<Exception>
  /** Where the square of a gradient vanishes on a device, so does the norm of its leaf, and what follows is another path. */
  readonly leafNorms: ReadonlyArray<Exception>
  /** A single zero of the reference's state that has no counterpart. */
  readonly placeholders: ReadonlyArray<Exception>
} = {
  records: [
    { pattern: /^lookahead\//, reason: "parameters are pairs there; compared in transforms/lookahead.test.ts" },
    {
      pattern: /^(add_noise|noisy_sgd)\//,
      reason: "the recorded draws have to be fed; compared in optaxNoise.test.ts"
    },
    {
      pattern: /^(measure_with_ema|monitor|snapshot)\//,
      reason: "what is recorded is in the state after each step; compared in optaxMonitor.test.ts"
    }
  ],
  state: [
    { pattern: /rng_key/, reason: "draws come from a seed and the count here, not from a key that is split" },
    { pattern: /\.hyperparams_states/, reason: "one count serves all schedules that are injected" }
  ],
  leafNorms: [
    {
      pattern: /^(lars|scale_by_trust_ratio)\//,
      reason: "a leaf whose norm is 0 takes its gradient as it is; beneath 2⁻⁶³ numbers have a norm of 0 on a device"
    }
  ],
  placeholders: [
    {
      pattern: /\.v(_row|_col)?\b/,
      reason: "what a leaf does not need is null here; the reference keeps a vector of one zero"
    }
  ]
}
