/**
 * All transforms of the library, derived from its exports, each with what its golden records say that it is made with.
 *
 * What a row does that others do not is data here, with a reason; the laws know no names.
 */
import { Leaves, Transform } from "@optim/core"
import { camel } from "./golden.ts"
import { optimizers, type OptaxRecord, transformOfRecord, transforms } from "./optax.ts"

/** One configuration of a transform, with parameters and gradients to try it on. */
export interface Case {
  readonly id: string
  readonly make: () => Transform.Any
  /** Golden trees, as in the records. */
  readonly params: unknown
  readonly grads: ReadonlyArray<unknown>
  readonly values: ReadonlyArray<number>
  /** Is it made with a mask or with labels that fit these parameters only? */
  readonly isOfOneTree: boolean
}

/** How far an element of a gradient is seen in the updates. */
export type Reach = "nowhere" | "element" | "row" | "column" | "leaf" | "tree"

export interface Row {
  readonly name: string
  /** One for each configuration, that with the most options first. */
  readonly cases: ReadonlyArray<Case>
  /** Where NaN in one element of a gradient is first seen. */
  readonly reach: Reach
  /** What such an element changes in the end, if that is more. */
  readonly spread: Reach
  /** Why its updates are not one kernel for each leaf. */
  readonly severalKernels: string | undefined
  /** Why tfjs computes a part of it. */
  readonly library: string | undefined
  /** Why it is traced more than once. */
  readonly branches: string | undefined
}

interface Reasons {
  readonly [name: string]: string
}

/** Exports that make no transform. */
export const notTransforms: Reasons = {
  apply: "runs transforms",
  applyUpdates: "adds updates",
  get: "reads states",
  getAllWithPath: "reads states",
  incrementalUpdate: "follows tensors",
  init: "runs transforms",
  leavesWhere: "makes masks",
  mapParams: "changes states",
  measureWithEma: "makes measures for monitor",
  perExampleGlobalNormClip: "clips gradients of single examples",
  perExampleLayerNormClip: "clips gradients of single examples",
  periodicUpdate: "follows tensors",
  set: "changes states",
  skipLargeUpdates: "makes rules for multiSteps",
  unitwiseClip: "a word of adaptiveGradClip",
  unitwiseNorm: "a word of adaptiveGradClip",
  update: "runs transforms",
  withExtraArgs: "changes a type alone"
}

/** Names of the reference that are not ours in another spelling. */
const spelled: { readonly [name: string]: string } = {
  MultiSteps: "multiSteps",
  "chain(sgd,keep_params_nonnegative)": "chain",
  multi_transform: "partition"
}

/** What the reference calls something else than a transform, or what is not exported under its name. */
export const notExported: Reasons = {}

/** Transforms for which the reference has no record. */
export const withoutRecord: Reasons = {
  stateless: "what it does is the user's",
  statelessWithTreeMap: "what it does is the user's"
}

const reduced = "a norm, a mean or a sum is made of gradients or parameters first"

const within = "one of its records has a transform that reduces"

const severalKernels: Reasons = {
  adafactor: reduced,
  adaptiveGradClip: reduced,
  centralize: reduced,
  chain: within,
  clipByBlockRms: reduced,
  clipByGlobalNorm: reduced,
  fromage: reduced,
  lamb: reduced,
  lars: reduced,
  masked: within,
  monitor: reduced,
  multiSteps: "a rule that skips reduces the gradients first",
  normalizeByUpdateNorm: reduced,
  novograd: reduced,
  polyakSgd: reduced,
  scaleByDistanceOverGradients: reduced,
  scaleByFactoredRms: reduced,
  scaleByNovograd: reduced,
  scaleByParamBlockNorm: reduced,
  scaleByParamBlockRms: reduced,
  scaleByPolyak: reduced,
  scaleByTrustRatio: reduced,
  snapshot: reduced
}

const drawn = "tfjs draws the numbers"

const library: Reasons = {
  addNoise: drawn,
  flatten: "tfjs joins and cuts tensors",
  noisySgd: drawn,
  scaleByLion: "kernels have no tanh, which the smooth mode takes"
}

const branches: Reasons = {
  applyIfFinite: "a tensor says whether the transform runs",
  conditionallyMask: "the host says whether the transform runs",
  conditionallyTransform: "the host says whether the transform runs",
  lookahead: "the host knows when fast and slow parameters meet",
  multiSteps: "the host knows when an update is due"
}

/** Where an element goes, if not to its own place alone. */
const reaches: { readonly [name: string]: Reach } = {
  adafactor: "leaf",
  adaptiveGradClip: "column",
  applyIfFinite: "nowhere",
  centralize: "row",
  chain: "tree",
  clipByBlockRms: "leaf",
  clipByGlobalNorm: "tree",
  freeze: "nowhere",
  fromage: "leaf",
  lamb: "leaf",
  lars: "leaf",
  normalizeByUpdateNorm: "tree",
  novograd: "leaf",
  polyakSgd: "tree",
  scaleByDistanceOverGradients: "leaf",
  scaleByFactoredRms: "leaf",
  scaleByNovograd: "leaf",
  scaleByPolyak: "tree",
  scaleByTrustRatio: "leaf",
  selectiveTransform: "nowhere",
  setToZero: "nowhere",
  zeroNans: "nowhere"
}

/** What it changes, where that is more than where it is seen. */
const spreads: { readonly [name: string]: Reach } = {
  applyIfFinite: "tree",
  scaleBySm3: "leaf",
  sm3: "leaf",
  zeroNans: "element"
}

/** What records describe in words instead of arguments. */
const inWords: { readonly [name: string]: (() => Transform.Any) | undefined } = {
  monitor: () =>
    Transform.monitor({
      norm: Leaves.globalNorm,
      emaNorm: Transform.measureWithEma(Leaves.globalNorm, { decay: 0.9 })
    }),
  snapshot: () => Transform.snapshot("norm", Leaves.globalNorm)
}

/** The part of a record's parameters that is ours. */
const partOfParams: { readonly [name: string]: string } = { lookahead: "fast" }

const notARow = (name: string): boolean => name in notTransforms

export const exported: ReadonlyArray<string> = Object.entries(Transform)
  .filter(([name, value]) => typeof value === "function" && !notARow(name))
  .map(([name]) => name)

/** Our name for a record's. */
export const nameOf = ({ name }: OptaxRecord): string => spelled[name] ?? camel(name)

export const records: ReadonlyArray<OptaxRecord> = [...optimizers, ...transforms]

const caseOf = (record: OptaxRecord): Case => {
  const { extra, grads, id, kwargs, params0 } = record
  const part = partOfParams[nameOf(record)]
  return {
    id,
    make: inWords[nameOf(record)] ?? (() => transformOfRecord(record)),
    params: part === undefined ? params0 : (params0 as { readonly [name: string]: unknown })[part],
    grads,
    values: extra.values ?? [],
    isOfOneTree: JSON.stringify(kwargs).includes("$tree")
  }
}

const options = ({ kwargs }: OptaxRecord): string => JSON.stringify(kwargs)

/** The records of a name without those that differ in their gradients alone. */
const configurations = (name: string): ReadonlyArray<OptaxRecord> => {
  const own = records.filter((record) => nameOf(record) === name && record.extra.kind !== "function")
  return own.filter((record, index) => own.findIndex((other) => options(other) === options(record)) === index)
}

const size = ({ kwargs }: OptaxRecord): number => Object.keys(kwargs).length

const rowOf = (name: string): Row => {
  const reach = reaches[name] ?? "element"
  return {
    name,
    cases: configurations(name)
      .toSorted((a, b) => size(b) - size(a))
      .map(caseOf),
    reach,
    spread: spreads[name] ?? reach,
    severalKernels: severalKernels[name],
    library: library[name],
    branches: branches[name]
  }
}

/** Every transform that has a record. */
export const rows: ReadonlyArray<Row> = exported.map(rowOf).filter(({ cases }) => cases.length > 0)

/** Names in tables that are not those of a row: reasons for nothing. */
export const unknownNames = (): ReadonlyArray<string> =>
  [severalKernels, library, branches, reaches, spreads, inWords, partOfParams]
    .flatMap((table) => Object.keys(table))
    .filter((name) => rows.every((row) => row.name !== name))
