// Everything that validates parts common to all kinds.
export * from './conditions.ts'
export * from './ip.ts'
export * from './labels.ts'
export * from './names.ts'
export * from './objectmeta.ts'
export * from './options.ts'
export * from './paths.ts'
