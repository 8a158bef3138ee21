/**
 * Interleaved timing: all contestants take turns in every round, so that a busy machine hits them alike.
 *
 * A turn is one step outside the clock, which brings the contestant's numbers back into the caches, and then as many
 * steps as fit the time of a turn. Reported is the median over rounds; ratios are taken within a round.
 *
 * The clock is the one on the wall: Node's processor time of a thread moves in steps of several milliseconds. On a busy
 * machine the best rounds say more than the medians.
 */

/** Whose steps are timed. */
export interface Timed {
  readonly name: string
  readonly step: () => void | Promise<void>
}

/** How long all this may take, in milliseconds. */
export interface Effort {
  readonly rounds: number
  readonly turn: number
  readonly warmUp: number
  /** For one contestant in all; the slow ones take part in fewer rounds. */
  readonly budget: number
}

/** Nanoseconds per step of each round in which the contestant took part. */
export interface Times {
  readonly name: string
  readonly steps: number
  readonly nanoseconds: ReadonlyArray<number>
}

const leastRounds = 3

/** Milliseconds per step. */
const run = async ({ step }: Timed, steps: number): Promise<number> => {
  const started = performance.now()
  for (let index = 0; index < steps; index++) {
    // Waiting costs more than a small step, so only those who promise are waited for.
    const promised = step()
    if (promised !== undefined) await promised
  }
  return (performance.now() - started) / steps
}

/** Runs until the code is compiled and the machine warm; gives the milliseconds of a step. */
const warmUp = async (contestant: Timed, milliseconds: number): Promise<number> => {
  let time = await run(contestant, 1)
  for (const end = performance.now() + milliseconds; performance.now() < end;) {
    time = await run(contestant, Math.max(1, Math.min(1000, Math.floor(1 / time))))
  }
  return time
}

interface Turn {
  readonly contestant: Timed
  readonly steps: number
  readonly rounds: number
  readonly times: Array<number>
}

const prepare = async (contestant: Timed, effort: Effort): Promise<Turn> => {
  const time = await warmUp(contestant, effort.warmUp)
  const steps = Math.max(1, Math.min(200_000, Math.round(effort.turn / time)))
  const affordable = Math.floor(effort.budget / (time * (steps + 1)))
  const rounds = Math.min(effort.rounds, Math.max(leastRounds, affordable))
  return { contestant, steps, rounds, times: [] }
}

/** Times the contestants against each other. The order turns from round to round, so nobody always follows the same. */
export const measure = async (contestants: ReadonlyArray<Timed>, effort: Effort): Promise<ReadonlyArray<Times>> => {
  const turns: Array<Turn> = []
  for (const contestant of contestants) turns.push(await prepare(contestant, effort))
  for (let round = 0; round < effort.rounds; round++) {
    for (let place = 0; place < turns.length; place++) {
      const turn = turns[(place + round) % turns.length]
      if (turn === undefined || round >= turn.rounds) continue
      await run(turn.contestant, 1)
      turn.times.push(await run(turn.contestant, turn.steps))
    }
  }
  return turns.map(({ contestant: { name }, steps, times }) => ({
    name,
    steps,
    nanoseconds: times.map((milliseconds) => milliseconds * 1e6)
  }))
}

const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
}

/** The middle of the values. */
export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

/** A ratio of the medians of the rounds, their quartiles, and the best round of one to the best of the other. */
export interface Ratio {
  readonly median: number
  readonly best: number
  readonly low: number
  readonly high: number
}

/** How many times as long as another contestant, within the rounds in which both took part. */
export const ratioOf = (times: Times, other: Times): Ratio => {
  const rounds = Math.min(times.nanoseconds.length, other.nanoseconds.length)
  const ratios = times.nanoseconds
    .slice(0, rounds)
    .map((time, round) => time / (other.nanoseconds[round] ?? Number.NaN))
  const best = Math.min(...times.nanoseconds) / Math.min(...other.nanoseconds)
  return { median: median(ratios), best, low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) }
}
