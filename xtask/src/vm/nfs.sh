# NFS from the machine to itself, on /vm/nfs, without the programs that usually answer the server's questions: what
# it would ask is in its caches already. For the tests that want it: 7.2 waits for one of these programs first.
set -e
mountpoint -q /vm/nfs && exit 0
modprobe -a -q nfsd nfsv4 nfs
mkdir -p /vm/nfs /var/lib/nfs/v4recovery
mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
echo "-2 -3 +4" >/proc/fs/nfsd/versions
# The least that it takes.
echo 10 >/proc/fs/nfsd/nfsv4leasetime
echo 10 >/proc/fs/nfsd/nfsv4gracetime
echo "tcp 2049" >/proc/fs/nfsd/portlist
echo 2 >/proc/fs/nfsd/threads
# No client of before may still claim what it had open. 7.2, which remembers clients by that program only, refuses,
# and the time has to pass.
echo Y >/proc/fs/nfsd/v4_end_grace || true
never=2147483647
echo "nfsd 127.0.0.1 $never all" >/proc/net/rpc/auth.unix.ip/channel
# 0x2002: any port, and a number that is given here, 0: the root of what is served.
echo "all /vm/nvme-ext4 $never 8194 65534 65534 0" >/proc/net/rpc/nfsd.export/channel
printf 'all 1 \\x00000000 %s /vm/nvme-ext4\n' $never >/proc/net/rpc/nfsd.fh/channel
mount -i -t nfs4 -o addr=127.0.0.1,clientaddr=127.0.0.1,vers=4.2,sec=sys 127.0.0.1:/ /vm/nfs
