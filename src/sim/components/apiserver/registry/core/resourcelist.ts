// Lists of quantities: SetDefaults_ResourceList rounds what is finer than a thousandth up.
import { roundUpToMilli } from '../pod/quantities.ts'
import { keysOf, put } from '../pod/maps.ts'

export function roundUpResourceList(list: { [key: string]: string } | undefined | null): void {
  if (!list) return
  for (const key of keysOf(list)) put(list, key, roundUpToMilli(list[key] ?? '0'))
}
