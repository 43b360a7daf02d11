// How Go writes floats.

/** strconv's shortest %g, as fmt prints floats with %v. */
export const goFloatText = (value: number): string => {
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const e = Number(exponent)
  if (value === 0 || (e >= -4 && e < 6)) return Object.is(value, -0) ? '-0' : String(value)
  return `${digits}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`
}
