package main

import "os"

type sink struct{ *os.File }

type putter interface{ Write([]byte) (int, error) }

func put(f putter, b []byte) {
	for i := 0; i < 16; i++ {
		if _, err := f.Write(b); err != nil { /* L11 write */
			panic(err)
		}
	}
}

func get(f *os.File, b []byte) bool {
	n, _ := f.Read(b) /* L18 read */
	return n > 0
}

func main() {
	f, err := os.OpenFile(os.Args[1], os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0644)
	if err != nil {
		panic(err)
	}
	b := make([]byte, 65536)
	put(sink{f}, b)
	f.Seek(0, 0)
	for get(f, b) {
	}
	f.Sync() /* L32 */
}
