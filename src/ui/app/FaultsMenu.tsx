// What can be broken (and mended) here: everything in general, or what fits one element.
import type { ReactNode } from 'react'
import type { SceneElement } from '../../projection/scene.ts'
import type { Fault } from '../../sim/cluster/faults.ts'
import { Menu, type MenuGroup, type MenuItem } from '../kit/Menu.tsx'
import { useSession, useSessionState } from './SessionContext.tsx'

/** Faults that fit an element, with the word for the button. */
export function faultsFor(
  element: SceneElement,
  all: ReadonlyMap<string, SceneElement>,
): { label: string; detail: string; fault: Fault }[] {
  switch (element.type) {
    case 'component': {
      if (element.component === 'coredns' || element.component === 'cni') return []
      const stopped = element.status === 'stopped' || element.status === 'failed'
      return stopped
        ? [
            {
              label: `Start ${element.name}`,
              detail: `on ${hostName(element.parent)}`,
              fault: { kind: 'start-process', process: element.process },
            },
          ]
        : [
            {
              label: `Stop ${element.name}`,
              detail: `on ${hostName(element.parent)}`,
              fault: { kind: 'stop-process', process: element.process },
            },
          ]
    }
    case 'host': {
      const name = hostName(element.id)
      const controls = [...all.values()].filter((e) => e.type === 'host' && e.role === 'control-plane' && e.id !== element.id)
      const cut = element.lines.some((l) => l.startsWith('link cut'))
      return [
        element.status === 'stopped'
          ? { label: `Power on ${name}`, detail: 'its processes start again', fault: { kind: 'power-on' as const, host: name } }
          : {
              label: `Power off ${name}`,
              detail: 'the machine is gone, without a word',
              fault: { kind: 'power-off' as const, host: name },
            },
        ...controls.map((c) =>
          cut
            ? {
                label: `Heal the link ${name} – ${hostName(c.id)}`,
                detail: 'messages that waited go on',
                fault: { kind: 'heal-link' as const, a: name, b: hostName(c.id) },
              }
            : {
                label: `Cut the link ${name} – ${hostName(c.id)}`,
                detail: 'both run, neither hears the other',
                fault: { kind: 'cut-link' as const, a: name, b: hostName(c.id) },
              },
        ),
      ]
    }
    case 'pod': {
      const { namespace = 'default', name } = element.ref
      return [
        { label: `Delete pod ${name}`, detail: 'gracefully, through the API server', fault: { kind: 'delete-pod', namespace, pod: name } },
        ...element.containers
          .filter((c) => c.state === 'running')
          .map((c) => ({
            label: `Kill container ${c.name}`,
            detail: 'SIGKILL to its main process',
            fault: { kind: 'kill-container' as const, namespace, pod: name, container: c.name },
          })),
      ]
    }
    case 'person':
      return []
  }
}

export const hostName = (id: string | undefined): string => (id ?? '').replace('host:', '')

export function FaultsMenu({ trigger, element }: { trigger: ReactNode; element?: SceneElement }) {
  const session = useSession()
  useSessionState((s) => s.sceneVersion)
  const { elements } = session.store.getState()
  const toItem = ({ label, detail, fault }: ReturnType<typeof faultsFor>[number]): MenuItem => ({
    id: label,
    label,
    detail,
    onSelect: () => void session.command({ do: 'fault', fault }, { thenPlay: true }),
  })
  const all = [...elements.values()]
  const one = (title: string, list: SceneElement[]): MenuGroup => ({
    title,
    items: list.flatMap((e) => faultsFor(e, elements)).map(toItem),
  })
  const groups: MenuGroup[] = element
    ? [one(`What can happen to ${element.name}`, [element])]
    : [
        one(
          'Control plane',
          all.filter(
            (e) => e.type === 'component' && ['kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'etcd'].includes(e.component),
          ),
        ),
        one(
          'Machines and links',
          all.filter((e) => e.type === 'host'),
        ),
        one(
          'On the workers',
          all.filter((e) => e.type === 'component' && e.component === 'kubelet'),
        ),
        one(
          'Pods',
          all.filter((e) => e.type === 'pod' && !e.system),
        ),
      ].filter((g) => g.items.length > 0)
  return <Menu label="Faults" trigger={trigger} groups={groups} />
}
