//! The programs, and what each is to do.

/// A program that is traced.
pub struct Program {
    pub name: String,
    /// Debian's packages that it takes.
    pub packages: Vec<&'static str>,
    /// Shell words before, not traced: in the program's folder.
    pub prepare: String,
    /// What is traced.
    pub script: String,
}

/// The same as data.
pub struct Row {
    pub name: &'static str,
    packages: &'static [&'static str],
    prepare: &'static str,
    script: &'static str,
}

impl Program {
    pub fn of(row: &Row) -> Self {
        Self {
            name: row.name.to_owned(),
            packages: row.packages.to_vec(),
            prepare: row.prepare.to_owned(),
            script: row.script.to_owned(),
        }
    }
}

const FIO: &str = "--name=j --filename=f --size=4m --bs=64k --rw=rw --group_reporting --output=out";

/// fio with one of its engines; each has its own way of being asked.
pub fn fio(engine: &str) -> Program {
    let script = match engine {
        // A receiver, and a sender.
        "net" | "netsplice" => format!(
            "fio --name=r --ioengine=net --listen --protocol=tcp --port=8765 --rw=read --size=4m --bs=64k --output=r & \
             sleep 3; timeout 20 fio --name=s --ioengine={engine} --protocol=tcp --port=8765 --hostname=127.0.0.1 \
             --rw=write --size=4m --bs=64k --output=s; wait"
        ),
        "cpuio" => "fio --name=j --ioengine=cpuio --cpuload=50 --runtime=1 --time_based --output=out".to_owned(),
        "exec" => "fio --name=j --ioengine=exec --program=/bin/true --output=out".to_owned(),
        "filecreate" | "filestat" | "filedelete" => {
            format!("fio --name=j --ioengine={engine} --nrfiles=8 --filesize=64k --size=512k --bs=64k --rw=read --output=out")
        }
        "falloc" | "ftruncate" => {
            format!("fio --name=j --ioengine={engine} --filename=f --size=4m --bs=64k --rw=write --output=out")
        }
        "e4defrag" => {
            "fio --name=j --ioengine=e4defrag --filename=f --donorname=d --size=4m --bs=64k --rw=write --output=out".to_owned()
        }
        _ => format!("fio {FIO} --ioengine={engine}"),
    };
    Program {
        name: format!("fio {engine}"),
        packages: vec!["fio"],
        prepare: "head -c 4M /dev/urandom > f".to_owned(),
        script,
    }
}

/// The same past the page cache.
pub fn fio_direct(engine: &str) -> Program {
    let buffered = fio(engine);
    Program {
        name: format!("fio {engine}, O_DIRECT"),
        script: format!("{} --direct=1", buffered.script),
        ..buffered
    }
}

const BIG: &str = "head -c 4M /dev/urandom > big; chmod 666 big";

/// What a client reads of the server at port 8766, ten times.
const NGINX: &str = "nginx -c $PWD/nginx.conf -p $PWD; \
    python3 -c 'import urllib.request as u\nfor i in range(10):\n u.urlopen(u.Request(\"http://127.0.0.1:8766/big\", \
    headers={\"Accept-Encoding\": \"gzip\"})).read()'; kill $(cat pid); sleep 0.5";

macro_rules! nginx {
    ($options:literal) => {
        concat!(
            "head -c 4M /dev/urandom > big; chmod 755 .; chmod 644 big; mkdir -p tmp; \
             printf 'daemon on; pid pid; error_log err; events {} http { access_log log; \
             client_body_temp_path tmp/a; proxy_temp_path tmp/b; fastcgi_temp_path tmp/c; uwsgi_temp_path tmp/d; \
             scgi_temp_path tmp/e; gzip_types *; ",
            $options,
            " server { listen 127.0.0.1:8766; root %s; } }' \"$PWD\" > nginx.conf"
        )
    };
}

const POSTGRES: &str = "B=$(ls -d /usr/lib/postgresql/*/bin | tail -1); \
    runuser -u postgres -- sh -ec \"cd $PWD; $B/pg_ctl -w -s -D data -l log -o '-k $PWD -h \\\"\\\"' start; \
    $B/pgbench -q -i -s 1 -h $PWD postgres; $B/pgbench -t 50 -c 2 -h $PWD postgres; \
    $B/psql -q -h $PWD -c 'vacuum full pgbench_accounts' postgres; $B/pg_ctl -w -s -D data stop\"";

/// All but fio.
#[rustfmt::skip] // a table
pub const PROGRAMS: &[Row] = &[
    Row { name: "nginx, sendfile", packages: &["nginx", "python3"], prepare: nginx!("sendfile on;"), script: NGINX },
    Row { name: "nginx, read and write", packages: &["nginx", "python3"], prepare: nginx!("sendfile off;"), script: NGINX },
    Row { name: "nginx, gzip", packages: &["nginx", "python3"], prepare: nginx!("gzip on;"), script: NGINX },
    Row { name: "nginx, threads and direct I/O", packages: &["nginx", "python3"], prepare: nginx!("aio threads; directio 1m; sendfile on;"), script: NGINX },
    Row { name: "PostgreSQL", packages: &["postgresql"],
        prepare: "B=$(ls -d /usr/lib/postgresql/*/bin | tail -1); mkdir data; chown postgres data; \
                  runuser -u postgres -- $B/initdb -D data > /dev/null",
        script: POSTGRES },
    Row { name: "redis", packages: &["redis-server", "redis-tools"], prepare: "",
        script: "redis-server --port 0 --unixsocket $PWD/s --daemonize no --appendonly yes --dir $PWD > log & sleep 1; \
                 redis-benchmark -s $PWD/s -n 2000 -d 4096 -t set,get,lpush,lrange_100 -q > out; \
                 redis-cli -s $PWD/s bgsave > out; sleep 1; redis-cli -s $PWD/s shutdown || true; wait" },
    Row { name: "git", packages: &["git"], prepare: BIG,
        script: "export HOME=$PWD; git init -q a; cp big a; cd a; git -c user.name=a -c user.email=a@b add big; \
                 git -c user.name=a -c user.email=a@b commit -q -m a; git gc -q; cd ..; git clone -q a b; \
                 git clone -q file://$PWD/a c; cd c; git log -p --stat > ../out; git archive -o ../t.tar HEAD" },
    Row { name: "sqlite", packages: &["sqlite3"], prepare: "",
        script: "sqlite3 d 'create table t(a,b); with recursive n(i) as (select 1 union all select i+1 from n where i<20000) \
                 insert into t select i, randomblob(200) from n; create index i on t(b); select count(*) from t;' > out; \
                 sqlite3 d 'pragma journal_mode=wal; update t set b=randomblob(100) where a%3=0; pragma wal_checkpoint(full); \
                 pragma mmap_size=268435456; select sum(length(b)) from t; vacuum;' > out; sqlite3 d .dump > dump" },
    Row { name: "rsync", packages: &["rsync"], prepare: "mkdir a; head -c 4M /dev/urandom > a/big; cp -r /etc/ssl a/ssl 2>/dev/null || true",
        script: "rsync -a a/ b; printf x >> a/big; rsync -a --inplace --no-whole-file a/ b; rsync -az --checksum a/ c" },
    Row { name: "cp, cat, dd, tar", packages: &["coreutils", "tar"], prepare: BIG,
        script: "cp big b; cat big > c; cat big | cat > d; dd if=big of=e bs=64k status=none; \
                 dd if=big of=f bs=64k iflag=direct oflag=direct status=none; tar cf t big; tar xOf t > g; sort big > h" },
    Row { name: "Go", packages: &["golang-go"],
        prepare: concat!("head -c 4M /dev/urandom > big; cat > m.go <<'E'\n", include_str!("copies.go"), "E\n\
                 export HOME=$PWD GOCACHE=$PWD/cache GOFLAGS=-mod=mod GO111MODULE=off; go build -o m m.go"),
        script: "./m" },
    Row { name: "Java", packages: &["default-jdk-headless"],
        prepare: concat!("head -c 4M /dev/urandom > big; cat > M.java <<'E'\n", include_str!("copies.java"), "E\njavac M.java"),
        script: "java M" },
    Row { name: "Node", packages: &["nodejs"],
        prepare: concat!("head -c 4M /dev/urandom > big; cat > m.js <<'E'\n", include_str!("copies.js"), "E\n"),
        script: "node m.js" },
    Row { name: "Python", packages: &["python3"],
        prepare: concat!("head -c 4M /dev/urandom > big; cat > m.py <<'E'\n", include_str!("copies.py"), "E\n"),
        script: "python3 m.py" },
];
