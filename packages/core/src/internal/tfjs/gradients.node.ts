/**
 * The derivatives of tfjs' ops, for Node.
 *
 * The module of tfjs-core that registers them cannot be loaded by Node (ES syntax without file extensions in a CommonJS
 * package). tfjs-layers carries the same module in a form that can, and registers it with the tfjs-core it shares.
 */
import "@tensorflow/tfjs-layers"
