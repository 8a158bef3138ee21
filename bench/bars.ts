/**
 * The bars: what the library sets itself to reach, as ratios within one run.
 */
import { median, type Ratio } from "./measure.ts"
import { compare, find, type Report } from "./results.ts"

/** A bar, what was measured, and whether that is enough. */
export interface Verdict {
  readonly bar: string
  readonly limit: string
  readonly measured: string
  /** The same of the best rounds, where the bar is a ratio. */
  readonly best: string
  readonly reached: boolean
}

type Found = Pick<Report, "heats" | "first">

const sizes = ["1,000", "10,000", "100,000", "1,000,000", "10,000,000"]

const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

/** A number of which little is good. */
const below = (bar: string, limit: number, value: number | undefined, unit: string): ReadonlyArray<Verdict> =>
  value === undefined
    ? []
    : [{ bar, limit: `≤ ${limit}${unit}`, measured: `${number(value)}${unit}`, best: "", reached: value <= limit }]

const atMost = (bar: string, limit: number, ratio: Ratio | undefined): ReadonlyArray<Verdict> =>
  ratio === undefined
    ? []
    : [
        {
          bar,
          limit: `≤ ${limit}`,
          measured: number(ratio.median),
          best: number(ratio.best),
          reached: ratio.median <= limit
        }
      ]

const atLeast = (bar: string, limit: number, ratio: Ratio | undefined): ReadonlyArray<Verdict> =>
  ratio === undefined
    ? []
    : [
        {
          bar,
          limit: `≥ ${limit} x`,
          measured: `${number(ratio.median)} x`,
          best: `${number(ratio.best)} x`,
          reached: ratio.median >= limit
        }
      ]

const againstHand = (report: Found): ReadonlyArray<Verdict> => [
  ...sizes
    .slice(1)
    .flatMap((at) =>
      atMost(`adam donated, ${at}, to by hand`, 1.15, compare(report, "adam", at, "optim, donated", "by hand"))
    ),
  ...sizes
    .slice(3)
    .flatMap((at) =>
      atMost(
        `adam pure, ${at}, to by hand, new arrays`,
        1.25,
        compare(report, "adam", at, "optim, pure", "by hand, new arrays")
      )
    )
]

const againstTraffic = (report: Found): ReadonlyArray<Verdict> =>
  ["adam", "sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adamax"].flatMap((optimizer) =>
    atMost(
      `${optimizer} donated, 10,000,000, to traffic`,
      optimizer === "adam" ? 1.4 : 1.5,
      compare(report, optimizer, "10,000,000", "optim, donated", "traffic")
    )
  )

const timesFaster = (report: Found): ReadonlyArray<Verdict> => {
  const faster = (at: string, other: string) => compare(report, "adam", at, other, "optim, donated")
  const tfjs = [
    ["1,000,000", 7],
    ["200 x 5,000", 30],
    ["1,000 x 64", 500]
  ] as const
  return [
    ...tfjs.flatMap(([at, limit]) => atLeast(`adam, ${at}, to tf.train.adam`, limit, faster(at, "tf.train, wasm"))),
    ...["10 x 10", ...sizes, "200 x 5,000", "mlp", "1,000 x 64"].flatMap((at) =>
      atLeast(`adam, ${at}, to jax-js`, 1, faster(at, "jax-js"))
    )
  ]
}

const smallLeaves = (report: Found): ReadonlyArray<Verdict> => {
  const step = find(report, "adam", "10 x 10", "optim, donated")
  return [
    ...atMost(
      "adam, 1,000 x 64, to one leaf of 64,000",
      4,
      compare(report, "adam", "1,000 x 64", "optim, donated", "optim, donated, one leaf")
    ),
    ...below("one step of 10 x 10", 15, step === undefined ? undefined : median(step.nanoseconds) / 1e3, " µs")
  ]
}

const combinations = (report: Found): ReadonlyArray<Verdict> => [
  ...atMost(
    "sm3 donated, [1000, 1000], to adagrad",
    2,
    compare(report, "sm3", "[1000, 1000]", "optim, donated", "optim adagrad, donated")
  ),
  ...atMost(
    "clipped adam, 1,000,000, to adam",
    1.4,
    compare(report, "clipGrads+adam", "1,000,000", "optim clipped, donated", "optim, donated")
  ),
  ...atMost(
    "training step of the mlp to tf.train.adam().minimize",
    1,
    compare(report, "training", "mlp, batch of 64", "optim, donated", "tf.train.adam().minimize")
  )
]

/** Composed optimizers. */
const composed = (report: Found): ReadonlyArray<Verdict> => [
  ...["adamw", "lion"].flatMap((optimizer) =>
    atMost(
      `${optimizer} donated, 10,000,000, to traffic`,
      1.5,
      compare(report, optimizer, "10,000,000", "optim, donated", "traffic")
    )
  ),
  ...["1,000,000", "10,000,000"].flatMap((at) =>
    atMost(
      `clipByGlobalNorm + adamw, ${at}, to adamw`,
      1.4,
      compare(report, "clipByGlobalNorm+adamw", at, "optim, donated", "optim adamw, donated")
    )
  )
]

const firstUpdates = ({ first }: Found): ReadonlyArray<Verdict> =>
  first.flatMap(({ case: at, cold, warm }) => {
    const limit = { mlp: 30, "1,000 x 64": 150 }[at]
    if (limit === undefined) return []
    return [
      ...below(`first update, ${at}, new process`, limit, cold, " ms"),
      ...below(`first update, ${at}, warm engine`, limit, warm, " ms")
    ]
  })

/** The bars of which something was measured. */
export const judge = (report: Found): ReadonlyArray<Verdict> => [
  ...againstHand(report),
  ...againstTraffic(report),
  ...combinations(report),
  ...composed(report),
  ...timesFaster(report),
  ...smallLeaves(report),
  ...firstUpdates(report)
]
