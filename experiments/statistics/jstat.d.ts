/** The part of jstat that is used; the package has no types of its own. */
declare module "jstat" {
  interface JStat {
    mean(values: readonly number[]): number;
    /** With `sample`, divided by n - 1. */
    stdev(values: readonly number[], sample: boolean): number;
    readonly studentt: {
      /** Inverse of Student's t distribution function. */
      inv(p: number, degreesOfFreedom: number): number;
    };
  }
  const module: { readonly jStat: JStat };
  export default module;
}
