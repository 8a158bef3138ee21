/**
 * Interleaved timing: all contestants take turns in every round, so that a busy machine hits them alike.
 *
 * Each turn runs as many steps as fit about 15 ms; what is reported is the median over rounds, and the median of the
 * ratios to the first contestant within each round.
 */

/** One contestant: a step, prepared, and what to do when all is over. */
export interface Contestant {
  readonly name: string
  readonly step: () => Promise<void> | void
  readonly end: () => void
}

/** Nanoseconds per step, and how often the first contestant's step fits in. */
export interface Result {
  readonly name: string
  readonly nanoseconds: number
  readonly ratio: number
}

const turnNanoseconds = 15e6

const rounds = 9

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const run = async ({ step }: Contestant, steps: number): Promise<number> => {
  const started = performance.now()
  for (let index = 0; index < steps; index++) await step()
  return ((performance.now() - started) * 1e6) / steps
}

const warmUp = async (contestant: Contestant): Promise<number> => {
  await run(contestant, 3)
  return Math.max(1, Math.round(turnNanoseconds / (await run(contestant, 2))))
}

/** Times the contestants against each other; the first is the measure of the ratios. */
export const measure = async (contestants: ReadonlyArray<Contestant>): Promise<ReadonlyArray<Result>> => {
  const steps: Array<number> = []
  for (const contestant of contestants) steps.push(await warmUp(contestant))
  const times = contestants.map((): Array<number> => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, contestant] of contestants.entries())
      times[index]?.push(await run(contestant, steps[index] ?? 1))
  }
  for (const contestant of contestants) contestant.end()
  const [reference = []] = times
  return contestants.map(({ name }, index) => ({
    name,
    nanoseconds: median(times[index] ?? []),
    ratio: median((times[index] ?? []).map((time, round) => time / (reference[round] ?? Number.NaN)))
  }))
}
