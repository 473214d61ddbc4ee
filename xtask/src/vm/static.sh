#!/bin/busybox sh
# The init of a machine of another processor, whose root is the initramfs: mounts, disks, network; then the
# job; then power off. The modules are there, and nothing of the host's. The results go to /vm/job.
bb=/bin/busybox
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
$bb --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm /run /tmp /vm/job
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t tracefs trace /sys/kernel/tracing
hostname vm
for module in /modules/*.ko; do
    case $module in
    # Queues to poll, for io_uring's IOPOLL.
    *-nvme.ko) insmod "$module" poll_queues=1 ;;
    *) insmod "$module" ;;
    esac
done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 job /vm/job

ip link set lo up
# A device driver looks for its hardware on its own time.
for _ in $(seq 50); do
    nic=$(basename "$(ls -d /sys/bus/pci/drivers/e1000e/*/net/* 2>/dev/null | head -n 1)")
    [ -n "$nic" ] && [ -n "$(findfs LABEL=ahci-btrfs 2>/dev/null)" ] && break
    sleep 0.2
done
ip address add 10.0.2.15/24 dev "$nic"
ip link set "$nic" up

for disk in $(cat /vm/job/disks); do
    mkdir -p "/vm/$disk"
    mount -t "${disk#*-}" "$(findfs "LABEL=$disk")" "/vm/$disk" || echo "vm: $disk: not mounted" >/dev/console
done
(
    set -e
    mkdir -p /vm/overlay-ext4 /vm/nvme-ext4/lower /vm/nvme-ext4/upper /vm/nvme-ext4/work
    overlay=lowerdir=/vm/nvme-ext4/lower,upperdir=/vm/nvme-ext4/upper,workdir=/vm/nvme-ext4/work
    mount -t overlay -o $overlay overlay /vm/overlay-ext4
    swapon "$(findfs LABEL=virtio-swap)"
) || echo "vm: a software disk is missing" >/dev/console
# What a program keeps for later goes to a disk.
mkdir -p /var/tmp /vm/nvme-ext4/tmp
mount --bind /vm/nvme-ext4/tmp /var/tmp

# Write-back by time is waited for; programs may have control groups that limit their memory.
echo 150 >/proc/sys/vm/dirty_expire_centisecs
echo 50 >/proc/sys/vm/dirty_writeback_centisecs
echo "+memory +io" >/sys/fs/cgroup/cgroup.subtree_control

setsid sh /vm/job/job.sh </dev/null >/vm/job/out 2>&1
echo $? >/vm/job/status
dmesg >/vm/job/dmesg
sync
poweroff -f
