/** The step: a non-negative integer that the caller counts. */
import { InvalidStep } from "../../OptimError.ts"

/** Throws `InvalidStep` unless the step is a non-negative integer. */
export const checkStep = (operation: string, step: number): void => {
  if (!Number.isSafeInteger(step) || step < 0)
    throw new InvalidStep({ operation, value: typeof step === "number" ? String(step) : JSON.stringify(step) })
}
