import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../api/types/object.ts'
import { run } from '../testing/harness.ts'
import { make } from '../testing/objects.ts'
import { claimBinder } from './claims.ts'
import { findMatch } from './match.ts'
import { volumeBinder } from './volumes.ts'

const volume = (name: string, storage: string, spec = {}, rest = {}): KubeObject =>
  make('v1', 'PersistentVolume', name, {
    spec: {
      capacity: { storage },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'manual',
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: '/tmp/x' },
      ...spec,
    },
    status: { phase: 'Available' },
    ...rest,
    metadata: { namespace: undefined },
  })
const claim = (storage: string, spec = {}, rest = {}): KubeObject =>
  make('v1', 'PersistentVolumeClaim', 'data', {
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'manual', resources: { requests: { storage } }, ...spec },
    status: { phase: 'Pending' },
    ...rest,
  })

describe('the volume binder', () => {
  it('takes the smallest volume that fits, and only what fits in class, modes and selector', () => {
    const volumes = [
      volume('large', '10Gi'),
      volume('fits', '2Gi'),
      volume('small', '500Mi'),
      volume('other', '2Gi', { storageClassName: 'fast' }),
      volume('block', '1Gi', { volumeMode: 'Block' }),
    ]
    expect(findMatch(claim('1Gi'), volumes, false)?.metadata.name).toBe('fits')
    expect(findMatch(claim('1Gi', { accessModes: ['ReadWriteMany'] }), volumes, false)).toBeUndefined()
    expect(findMatch(claim('1Gi'), volumes, true)).toBeUndefined()
  })

  it('writes volume, its phase, claim and its phase, in this order', () => {
    const { requests, calls } = run(claimBinder, 'shop/data', [claim('1Gi'), volume('v', '1Gi')])
    expect(requests).toEqual([
      'PUT persistentvolumes/v',
      'PUT persistentvolumes/v/status',
      'PUT persistentvolumeclaims/data',
      'PUT persistentvolumeclaims/data/status',
    ])
    expect(calls[3]?.body).toMatchObject({ spec: { volumeName: 'v' }, status: { phase: 'Bound', capacity: { storage: '1Gi' } } })
  })

  it('says what it waits for', () => {
    const waiting = make('storage.k8s.io/v1', 'StorageClass', 'manual', {
      metadata: { namespace: undefined },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
    })
    expect(run(claimBinder, 'shop/data', [claim('1Gi')]).events).toEqual([
      'Warning ProvisioningFailed storageclass.storage.k8s.io "manual" not found',
    ])
    expect(run(claimBinder, 'shop/data', [claim('1Gi'), waiting]).events).toEqual([
      'Normal WaitForFirstConsumer waiting for first consumer to be created before binding',
    ])
    expect(run(claimBinder, 'shop/data', [claim('1Gi', { storageClassName: '' })]).events).toEqual([
      'Normal FailedBinding no persistent volumes available for this claim and no storage class is set',
    ])
  })

  it('releases the volume of a claim that is gone only after asking, and fails to delete what it cannot', () => {
    const bound = volume(
      'v',
      '1Gi',
      { claimRef: { namespace: 'shop', name: 'data', uid: 'gone' }, persistentVolumeReclaimPolicy: 'Delete', hostPath: { path: '/srv' } },
      { status: { phase: 'Bound' } },
    )
    const { requests, events } = run(volumeBinder, 'v', [bound], {
      answer: (c) =>
        c.method === 'GET'
          ? { ok: false, status: 404, reason: 'NotFound', message: 'gone' }
          : { ok: true, status: 200, reason: '', message: '', body: c.body },
    })
    expect(requests).toEqual(['GET persistentvolumeclaims/data', 'PUT persistentvolumes/v/status', 'PUT persistentvolumes/v/status'])
    expect(events).toEqual(['Warning VolumeFailedDelete host_path deleter only supports /tmp/.+ but received provided /srv'])
  })
})
