/// <reference types="vite/client" />
/**
 * Records made by Optax, decoded: names and keyword arguments of the reference become our transforms.
 */
import { PyTree } from "@optim/pytree"
import * as Schedules from "@optim/schedules"
import { Transform } from "@optim/core"
import optimizersJson from "../golden/optax_optimizers.json?raw"
import transformsJson from "../golden/optax_transforms.json?raw"
import { camel, type Deviation, isArray, numbersOf, toTensors } from "./golden.ts"

export interface OptaxRecord {
  readonly id: string
  readonly name: string
  readonly kwargs: Arguments
  readonly params0?: unknown
  readonly grads: ReadonlyArray<unknown>
  readonly updates?: ReadonlyArray<unknown>
  readonly params?: ReadonlyArray<unknown>
  readonly inputs?: unknown
  readonly output?: unknown
  readonly extra: {
    readonly kind?: string
    readonly apply_updates?: boolean
    readonly f32?: Deviation
    readonly values?: ReadonlyArray<number>
    readonly final_state?: ReadonlyArray<{ readonly path: string; readonly value: unknown }>
    readonly per_step?: ReadonlyArray<unknown>
    readonly noise?: ReadonlyArray<unknown>
    readonly num_clipped?: unknown
    readonly set_before_step?: { readonly [step: string]: { readonly [name: string]: number } }
  }
}

type Arguments = { readonly [name: string]: unknown }

export const optimizers: ReadonlyArray<OptaxRecord> = JSON.parse(optimizersJson).records
export const transforms: ReadonlyArray<OptaxRecord> = JSON.parse(transformsJson).records

interface Special {
  readonly $schedule?: string
  readonly $opt?: string
  readonly $chain?: ReadonlyArray<Special>
  readonly $tree?: unknown
  readonly $fn?: string
  readonly $tuple?: ReadonlyArray<unknown>
  readonly $every_k?: ReadonlyArray<readonly [number, number]>
  readonly args?: ReadonlyArray<unknown>
  readonly kwargs?: Arguments
}

const isSpecial = (value: unknown): value is Special =>
  typeof value === "object" && value !== null && Object.keys(value).some((key) => key.startsWith("$"))

/** Where a schedule serves the seed and Optax alike, its options have the names of the seed. */
const seedNames: { readonly [schedule: string]: { readonly [name: string]: string } } = {
  exponentialDecay: { initValue: "stepSize", transitionSteps: "decaySteps" }
}

const schedule = ({ $schedule, ...options }: Special): unknown => {
  // The reference's keyword arguments are our options in another spelling.
  const makers = Schedules as unknown as { readonly [name: string]: ((options: object) => unknown) | undefined }
  const name = camel(String($schedule))
  const make = makers[name]
  if (make === undefined) throw new Error(`no schedule ${name}`)
  const renamed = Object.entries(decoded(options)).map(([key, value]) => [seedNames[name]?.[key] ?? key, value])
  return make(Object.fromEntries(renamed))
}

/** The functions that records name. */
const functions: { readonly [text: string]: unknown } = {
  "ndim>=2": Transform.leavesWhere(({ shape }) => shape.length >= 2),
  "x**0.5": (x: number) => x ** 0.5
}

const everyK = (table: ReadonlyArray<readonly [number, number]>) => (gradientStep: number) =>
  table.findLast(([from]) => gradientStep >= from)?.[1] ?? 1

const value = (given: unknown): unknown => {
  if (!isSpecial(given)) return given
  if (given.$schedule !== undefined) return schedule(given)
  if (given.$opt !== undefined || given.$chain !== undefined) return transformOf(given)
  if (given.$fn !== undefined) return functions[given.$fn]
  if (given.$every_k !== undefined) return everyK(given.$every_k)
  return given.$tree ?? given.$tuple
}

/** Keyword arguments as options; a dtype is float32 here, whatever it was there. */
export const decoded = (kwargs: Arguments): { [name: string]: unknown } =>
  Object.fromEntries(
    Object.entries(kwargs)
      .filter(([name]) => !/^dtype_|dtype$/.test(name))
      .map(([name, given]) => [camel(name), value(given)])
      .filter(([, given]) => given !== undefined)
  )

/** The names of arguments that records give by position. */
const positional: { readonly [name: string]: ReadonlyArray<string> } = {
  adaptive_grad_clip: ["clipping"],
  add_decayed_weights: ["weightDecay", "mask"],
  clip: ["maxDelta"],
  clip_by_block_rms: ["threshold"],
  clip_by_global_norm: ["maxNorm"],
  scale: ["stepSize"],
  scale_by_schedule: ["stepSizeFn"]
}

type Make = (...args: ReadonlyArray<unknown>) => Transform.Any

const makers = Transform as unknown as { readonly [name: string]: Make | undefined }

/** Is there a transform for this record? */
export const isThere = (name: string): boolean => special[name] !== undefined || makers[camel(name)] !== undefined

/** The transform of a name, given the reference's own arguments. */
const make = (name: string, kwargs: Arguments, args: ReadonlyArray<unknown> = []): Transform.Any => {
  const own = special[name]
  if (own !== undefined) return own(kwargs)
  const maker = makers[camel(name)]
  if (maker === undefined) throw new Error(`no transform ${name}`)
  const byPosition = Object.fromEntries(args.map((arg, index) => [positional[name]?.[index] ?? "", value(arg)]))
  return maker({ ...byPosition, ...decoded(kwargs) })
}

export const transformOf = ({ $chain, $opt, args = [], kwargs = {} }: Special): Transform.Any =>
  $chain === undefined ? make(String($opt), kwargs, args) : Transform.chain(...$chain.map(transformOf))

const everyThird = (step: number): boolean => step % 3 === 0

const skipRules: { readonly [text: string]: Transform.SkipRule<unknown> | undefined } = {
  skip_not_finite: Transform.skipNotFinite,
  "skip_large_updates(max_squared_norm=50.0)": Transform.skipLargeUpdates({ maxSquaredNorm: 50 })
}

const partition = ({ param_labels, transforms }: Arguments): Transform.Any => {
  const groups = Object.entries(transforms as { readonly [label: string]: Special })
  return Transform.partition(
    Object.fromEntries(groups.map(([label, transform]) => [label, transformOf(transform)])),
    value(param_labels)
  )
}

/** Combinators, which take transforms: name by name, with what the reference calls their arguments. */
const special: { readonly [name: string]: ((kwargs: Arguments) => Transform.Any) | undefined } = {
  chain: (kwargs) => transformOf(kwargs),
  named_chain: ({ chain }) =>
    Transform.namedChain(
      ...(chain as ReadonlyArray<readonly [string, Special]>).map(
        ([name, transform]) => [name, transformOf(transform)] as const
      )
    ),
  masked: ({ inner, mask }) => Transform.masked(transformOf(inner as Special), value(mask)),
  freeze: ({ mask }) => Transform.freeze(value(mask)),
  selective_transform: ({ freeze_mask, optimizer }) =>
    Transform.selectiveTransform(transformOf(optimizer as Special), { freezeMask: value(freeze_mask) }),
  partition: (kwargs) => partition(kwargs),
  multi_transform: (kwargs) => partition(kwargs),
  "chain(sgd,keep_params_nonnegative)": (kwargs) => transformOf(kwargs),
  flatten: ({ inner }) => Transform.flatten(transformOf(inner as Special)),
  conditionally_transform: ({ inner }) => Transform.conditionallyTransform(transformOf(inner as Special), everyThird),
  conditionally_mask: ({ inner }) => Transform.conditionallyMask(transformOf(inner as Special), everyThird),
  apply_if_finite: ({ inner, ...options }) =>
    Transform.applyIfFinite(transformOf(inner as Special), decoded(options) as never),
  MultiSteps: ({ opt, should_skip_update_fn: skip, ...options }) =>
    Transform.multiSteps(transformOf(opt as Special), {
      ...(decoded(options) as { everyKSchedule: number }),
      shouldSkipUpdateFn: skipRules[String(skip)]
    }),
  lookahead: ({ fast_optimizer, ...options }) =>
    Transform.lookahead(transformOf(fast_optimizer as Special), decoded(options) as never),
  inject_hyperparams: ({ inner_factory, kwargs }) =>
    Transform.injectHyperparams(
      (options: object) => {
        const maker = makers[camel(String(inner_factory))]
        if (maker === undefined) throw new Error(`no transform ${String(inner_factory)}`)
        return maker(options)
      },
      decoded(kwargs as Arguments)
    )
}

/** The transform of a record. */
export const transformOfRecord = ({ kwargs, name }: OptaxRecord): Transform.Any => make(name, kwargs)

/** A path of the reference (`[0].mu['w'][1]`) in our notation. */
export const ourPath = (path: string): string =>
  // Which weights decay is part of the transform here, and no transform around it.
  path
    .replace(/\.inner_state(\.count)$/, "$1")
    .replace(/\['([a-z_]+)'\]/g, (_, name: string) => `['${camel(name)}']`)
    .replace(/\.([A-Za-z_]+)/g, (_, name: string) => `['${camel(name)}']`)

/** The reference's tree as tensors; the leaves of a tree of numbers. */
export { isArray, numbersOf, toTensors }

/** Numbers of all leaves, in order. */
export const flat = (tree: unknown): ReadonlyArray<ReadonlyArray<number>> =>
  PyTree.leaves(tree, { isLeaf: isArray }).map((leaf: unknown) => numbersOf(leaf))
