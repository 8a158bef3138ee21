/** Finished optimizers: a chain under a name of its own. */
import type { HyperParameters } from "../optimizer/hyperParameters.ts"
import type { Transform } from "./transform.ts"

/** The same transform under the name and the hyper-parameters with which it was asked for. */
export const named = <S, Needs extends string>(
  name: string,
  hyperParameters: HyperParameters,
  transform: Transform<S, Needs>
): Transform<S, Needs> => ({ ...transform, name, hyperParameters })
