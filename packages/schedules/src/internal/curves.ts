/** Curves that several kinds run along, in the reference's order of operations. */

/** From one value to another along a power of what remains, as `progress` runs from 0 to 1; 1 is a straight line. */
export const polynomial = (from: number, to: number, power: number, progress: number): number =>
  (1 - progress) ** power * (from - to) + to

/** How far a step is on the way through a number of steps, from 0 before them to 1 after them. */
export const progress = (step: number, steps: number): number => Math.min(Math.max(step, 0), steps) / steps
