// The kubeconfig file that clients are given: contexts admin (current) and jane.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const USERS = [
  { name: 'admin', token: 'admin-token' },
  { name: 'jane', token: 'user-token' },
]

export function kubeconfig(url: string, cert: string): string {
  return `apiVersion: v1
kind: Config
clusters:
- name: orrery
  cluster:
    server: ${url}
    certificate-authority-data: ${Buffer.from(cert).toString('base64')}
contexts:
${USERS.map((u) => `- name: ${u.name}\n  context:\n    cluster: orrery\n    user: ${u.name}\n`).join('')}current-context: admin
users:
${USERS.map((u) => `- name: ${u.name}\n  user:\n    token: ${u.token}\n`).join('')}`
}

export function writeKubeconfig(file: string, url: string, cert: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, kubeconfig(url, cert), { mode: 0o600 })
  chmodSync(file, 0o600)
}
