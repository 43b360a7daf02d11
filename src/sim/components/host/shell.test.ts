// A look into the machines of the default cluster.
import { beforeAll, describe, expect, it } from 'vitest'
import { createCluster } from '../../cluster/cluster.ts'
import type { Simulation } from '../../cluster/simulation.ts'
import { machineView } from './machine.ts'
import { hostCommand } from './shell.ts'
import type { CommandEffect, CommandOutput, MachineView } from './view.ts'

let sim: Simulation
beforeAll(() => {
  sim = createCluster({ profile: 'default', seed: 1 }).sim
}, 120_000)

const look = (node: string): MachineView => machineView(sim, node) as MachineView
const run = (node: string, command: string): CommandOutput => hostCommand(look(node), command) as CommandOutput
const lines = (node: string, command: string): string[] => run(node, command).stdout.trimEnd().split('\n')

describe('a shell on a machine', () => {
  it('is there for machines of the cluster only', () => {
    expect(machineView(sim, 'no-such-machine')).toBeUndefined()
    expect(run('node-1', 'hostname').stdout).toBe('node-1\n')
  })

  it('lists the containers and sandboxes of its runtime', () => {
    const shown = lines('control-plane', 'crictl ps')
    expect(shown[0]).toMatch(/^CONTAINER +IMAGE +CREATED +STATE +NAME +ATTEMPT +POD ID +POD +NAMESPACE$/)
    expect(shown.slice(1).map((l) => l.split(/\s{2,}/)[4])).toEqual(
      expect.arrayContaining(['kube-apiserver', 'etcd', 'kube-scheduler', 'kube-controller-manager']),
    )
    expect(
      lines('control-plane', 'crictl pods')
        .slice(1)
        .every((l) => / Ready /.test(l)),
    ).toBe(true)
    const id = shown.find((l) => / etcd /.test(l))?.split(/\s+/)[0] as string
    expect(run('control-plane', `crictl logs ${id}`).exit).toBe(0)
    expect(run('control-plane', 'crictl logs none').exit).toBe(1)
    expect(lines('node-1', 'crictl images').length).toBeGreaterThan(1)
  })

  it('shows the static pod manifests where the kubelet reads them', () => {
    expect(lines('control-plane', 'ls /etc/kubernetes/manifests')).toEqual([
      'etcd.yaml',
      'kube-apiserver.yaml',
      'kube-controller-manager.yaml',
      'kube-scheduler.yaml',
    ])
    expect(run('control-plane', 'cat /etc/kubernetes/manifests/etcd.yaml').stdout).toMatch(/^apiVersion: v1\nkind: Pod\nmetadata:\n/)
    expect(run('node-1', 'ls /nowhere')).toEqual({
      exit: 2,
      stdout: '',
      stderr: "ls: cannot access '/nowhere': No such file or directory\n",
    })
  })

  it('tells the state of its units and their journals', () => {
    expect(run('node-1', 'systemctl is-active kubelet').stdout).toBe('active\n')
    expect(lines('node-1', 'systemctl status kubelet')[2]).toMatch(/^ {5}Active: active \(running\) since .* UTC; .* ago$/)
    expect(run('node-1', 'systemctl status nothing').exit).toBe(4)
    expect(run('node-1', 'journalctl -u kubelet').stdout).toContain('"Successfully registered node" node="node-1"')
    expect(lines('node-1', 'journalctl -u kubelet -n 3')).toHaveLength(3)
    expect(run('node-1', 'journalctl -u containerd').stdout).toContain('RunPodSandbox for &PodSandboxMetadata')
  })

  it('leaves it to the caller to start and stop', () => {
    expect(hostCommand(look('node-1'), 'sudo systemctl stop kubelet') as CommandEffect).toEqual({
      effect: 'stop',
      process: 'kubelet/node-1',
    })
    expect(hostCommand(look('node-1'), 'systemctl start kubelet')).toEqual({ exit: 0, stdout: '', stderr: '' })
    expect(hostCommand(look('node-1'), 'make coffee')).toBeUndefined()
  })

  it('has routes to the pods here and to the other machines', () => {
    const routes = lines('node-1', 'ip route')
    expect(routes[0]).toBe('default via 172.18.0.1 dev eth0')
    expect(routes.filter((r) => /^10\.\S+\/24 via 172\.18\./.test(r)).length).toBeGreaterThanOrEqual(2)
  })
})
