import { TestEnvironment } from 'jest-environment-node';

/**
 * Jest gives each test file globals of its own. Native modules make and expect the arrays of the process: in a file that calls
 * one directly, these must be the same.
 */
export default class NativeArraysEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    Object.assign(this.global, { Float32Array, Float64Array, Int32Array, BigInt64Array, Uint32Array });
  }
}
