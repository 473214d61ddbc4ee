package main

import (
	"io"
	"net"
	"os"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// Copies a file by copy_file_range or sendfile, sends it over TCP and relays it.
func main() {
	in, err := os.Open("big")
	check(err)
	out, err := os.Create("copy")
	check(err)
	_, err = io.Copy(out, in)
	check(err)
	check(out.Close())
	bytes, err := os.ReadFile("big")
	check(err)
	check(os.WriteFile("again", bytes, 0o644))

	sink, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	relay, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		from, err := relay.Accept()
		check(err)
		to, err := net.Dial("tcp", sink.Addr().String())
		check(err)
		_, err = io.Copy(to, from)
		check(err)
		check(to.Close())
	}()
	go func() {
		to, err := net.Dial("tcp", relay.Addr().String())
		check(err)
		file, err := os.Open("big")
		check(err)
		_, err = io.Copy(to, file)
		check(err)
		check(to.Close())
	}()
	end, err := sink.Accept()
	check(err)
	received, err := os.Create("received")
	check(err)
	_, err = io.Copy(received, end)
	check(err)
	check(received.Close())
}
