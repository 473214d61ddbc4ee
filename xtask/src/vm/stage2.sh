# Runs as init on the host's root: mounts, modules, disks, network; then the job; then power off.
# The results go to /vm/job, which is the host's.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mountpoint -q /dev || mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t tracefs trace /sys/kernel/tracing
hostname vm

release=$(uname -r)
mkdir -p "/lib/modules/$release"
mount --bind "$(cat /vm/job/modules)" "/lib/modules/$release"
# Queues to poll, for io_uring's IOPOLL.
mkdir -p /etc/modprobe.d
echo "options nvme poll_queues=1" >/etc/modprobe.d/bytehop.conf
# The last four are what the file systems need and only ask for softly, or nobody asks for.
modprobe -a -q virtio_blk nvme ahci sd_mod e1000e loop zram dm_mod tls veth overlay crc32c_generic libcrc32c xxhash_generic blake2b_generic

ip link set lo up
# A device driver looks for its hardware on its own time.
for _ in $(seq 50); do
    nic=$(basename "$(ls -d /sys/bus/pci/drivers/e1000e/*/net/* 2>/dev/null | head -n 1)")
    [ -n "$nic" ] && [ "$(blkid -t LABEL=ahci-btrfs -o device | wc -l)" = 1 ] && break
    sleep 0.2
done
ip address add 10.0.2.15/24 dev "$nic"
ip link set "$nic" up

for disk in $(cat /vm/job/disks); do
    mkdir -p "/vm/$disk"
    mount -L "$disk" "/vm/$disk" || echo "vm: $disk: not mounted" >/dev/console
done

# Block devices that are only software, a file system over another, and swap: what a kernel has not is
# left out, and then tested nowhere.
(
    set -e
    mkdir -p /vm/loop-ext4 /vm/zram-ext4 /vm/dm-ext4 /vm/overlay-ext4
    truncate -s 200M /vm/nvme-ext4/loop
    mkfs.ext4 -qF /vm/nvme-ext4/loop
    mount -o loop /vm/nvme-ext4/loop /vm/loop-ext4
    mkdir -p /vm/nvme-ext4/lower /vm/nvme-ext4/upper /vm/nvme-ext4/work
    overlay=lowerdir=/vm/nvme-ext4/lower,upperdir=/vm/nvme-ext4/upper,workdir=/vm/nvme-ext4/work
    mount -t overlay -o $overlay overlay /vm/overlay-ext4
    swapon -L virtio-swap
    echo 128M >/sys/block/zram0/disksize
    mkfs.ext4 -qF /dev/zram0
    mount /dev/zram0 /vm/zram-ext4
    below=$(blkid -L nvme-dm)
    echo "0 $(blockdev --getsz "$below") linear $below 0" | dmsetup create bytehop --noudevsync
    dmsetup mknodes
    mkfs.ext4 -qF /dev/mapper/bytehop
    mount /dev/mapper/bytehop /vm/dm-ext4
) || echo "vm: a software disk is missing" >/dev/console

# Write-back by time is waited for; programs may have control groups that limit their memory.
echo 150 >/proc/sys/vm/dirty_expire_centisecs
echo 50 >/proc/sys/vm/dirty_writeback_centisecs
echo "+memory +io" >/sys/fs/cgroup/cgroup.subtree_control

setsid -w sh /vm/job/job.sh </dev/null >/vm/job/out 2>&1
echo $? >/vm/job/status
dmesg >/vm/job/dmesg
sync -f /vm/job/status
busybox poweroff -f
