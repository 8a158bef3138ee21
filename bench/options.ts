/**
 * The command line: `pnpm bench [--quick] [--optimizer adam] [--case 1,000,000] [--contestant optim] [--list] [--save]`.
 */
import { parseArgs } from "node:util"
import type { Effort } from "./measure.ts"

/** What was asked for. */
export interface Options {
  readonly effort: Effort
  readonly quick: boolean
  /** Everything: nothing was filtered out. */
  readonly whole: boolean
  readonly list: boolean
  readonly save: boolean
  readonly wantsOptimizer: (name: string) => boolean
  readonly wantsCase: (name: string) => boolean
  readonly wantsContestant: (name: string) => boolean
}

const thorough: Effort = { rounds: 21, turn: 12, warmUp: 400, budget: 3000 }

const quick: Effort = { rounds: 5, turn: 5, warmUp: 60, budget: 600 }

/** Names are compared without spaces and commas: `1e6` and `1,000,000` are one case. */
const normal = (text: string): string => {
  const plain = text.toLowerCase().replaceAll(/[\s,]/gu, "")
  return /^\d+e\d+$/u.test(plain) ? String(Number(plain)) : plain
}

const wanted = (values: ReadonlyArray<string>): ((name: string) => boolean) => {
  const names = values.map(normal)
  return (name) => names.length === 0 || names.includes(normal(name))
}

/** Like `wanted`, for beginnings of names. */
const wantedPart = (values: ReadonlyArray<string>): ((name: string) => boolean) => {
  const parts = values.map(normal)
  return (name) => parts.length === 0 || parts.some((part) => normal(name).includes(part))
}

/** Reads the command line. */
export const readOptions = (args: ReadonlyArray<string>): Options => {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      quick: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      save: { type: "boolean", default: false },
      optimizer: { type: "string", multiple: true, default: [] },
      case: { type: "string", multiple: true, default: [] },
      contestant: { type: "string", multiple: true, default: [] }
    }
  })
  return {
    effort: values.quick ? quick : thorough,
    quick: values.quick,
    whole:
      !values.quick &&
      !values.list &&
      [values.optimizer, values.case, values.contestant].every(({ length }) => length === 0),
    list: values.list,
    save: values.save,
    wantsOptimizer: wanted(values.optimizer),
    wantsCase: wanted(values.case),
    wantsContestant: wantedPart(values.contestant)
  }
}
