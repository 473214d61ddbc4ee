test -e /dev/null/bytehop/begin/copy
cp /bin/bash sh.out
test -e /dev/null/bytehop/end/copy
[ -f /dev/null/bytehop/begin/count ]
wc -c < sh.out
[ -f /dev/null/bytehop/end/count ]
