#!/bin/busybox sh
# The initramfs' init: the host's root over 9p, a tmpfs overlay on it, and on to stage 2 there.
# Any failure ends this script, which panics the kernel, which ends QEMU.
set -e
bb=/bin/busybox
$bb mount -t devtmpfs dev /dev
$bb mount -t proc proc /proc
for module in /modules/*.ko; do $bb insmod "$module"; done
p9=trans=virtio,version=9p2000.L,msize=512000
$bb mount -t 9p -o ro,cache=loose,$p9 root /lower
$bb mount -t tmpfs -o size=60% rw /rw
$bb mkdir /rw/upper /rw/work
$bb mount -t overlay -o lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work overlay /root
$bb mkdir -p /root/vm/job
$bb mount -t 9p -o $p9 job /root/vm/job
$bb umount /proc
exec $bb switch_root /root /bin/sh /vm/job/stage2.sh
