// What can be done with one element of the picture: right click, or `.` on the focused one.
import { hostName, faultsFor } from '../app/FaultsMenu.tsx'
import { leftTab } from '../app/left-tab.ts'
import { useSession, useSessionState } from '../app/SessionContext.tsx'
import type { ObjectRef } from '../../sim/api/types/object.ts'
import type { SceneElement } from '../../projection/scene.ts'
import { type MenuGroup, PointMenu } from '../kit/Menu.tsx'
import { trafficForm } from '../traffic/form.ts'

export interface MenuPlace {
  readonly id: string
  readonly x: number
  readonly y: number
}

/** The API object behind an element, if there is one. */
export function objectOf(element: SceneElement): ObjectRef | undefined {
  if (element.type === 'pod') return element.ref
  if (element.type === 'host') return { apiVersion: 'v1', kind: 'Node', name: hostName(element.id) }
  return undefined
}

export function ContextMenu({ place, onClose }: { place: MenuPlace; onClose(): void }) {
  const session = useSession()
  const element = useSessionState((s) => s.elements.get(place.id))
  if (!element) return null
  const ref = objectOf(element)
  const faults = faultsFor(element, session.store.getState().elements).filter(({ fault }) => fault.kind !== 'delete-pod')
  const why = async (): Promise<void> => {
    const { chain } = await session.client.request('why', ref ? { ref } : {})
    if (chain[0]) session.select({ type: 'record', record: chain[0].record })
  }
  const groups: MenuGroup[] = [
    {
      title: element.name,
      items: [
        { id: 'inspect', label: 'Inspect', onSelect: () => session.select({ type: 'element', id: element.id }) },
        ...(ref ? [{ id: 'why', label: 'Why is it as it is?', onSelect: () => void why() }] : []),
        ...(element.type === 'pod' && element.containers.some((c) => c.state === 'running')
          ? [
              {
                id: 'request',
                label: 'Send a request from here …',
                onSelect: () => (trafficForm.setState({ from: element.id }), leftTab.setState({ tab: 'traffic' })),
              },
            ]
          : []),
        ...(element.id === 'outside'
          ? [
              {
                id: 'request',
                label: 'Send a request …',
                onSelect: () => (trafficForm.setState({ from: 'outside' }), leftTab.setState({ tab: 'traffic' })),
              },
            ]
          : []),
        ...(element.id === 'you'
          ? [{ id: 'manifest', label: 'Write a manifest …', onSelect: () => leftTab.setState({ tab: 'manifest' }) }]
          : []),
      ],
    },
    ...(faults.length > 0
      ? [
          {
            title: 'What if …',
            items: faults.map(({ label, detail, fault }) => ({
              id: label,
              label,
              detail,
              onSelect: () => void session.command({ do: 'fault', fault }, { thenPlay: true }),
            })),
          },
        ]
      : []),
    ...(ref
      ? [
          {
            items: [
              {
                id: 'delete',
                label: `Delete ${ref.kind.toLowerCase()} ${ref.name}`,
                detail: 'kubectl delete, through the API server',
                onSelect: () => void session.command({ do: 'delete', ref }, { thenPlay: true }),
              },
            ],
          },
        ]
      : []),
  ]
  return <PointMenu x={place.x} y={place.y} groups={groups} label={`Actions on ${element.name}`} onClose={onClose} />
}
