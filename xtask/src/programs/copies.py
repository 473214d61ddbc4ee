# Copies a file in four ways, sends it over TCP and through processes.
import mmap
import os
import shutil
import socket
import subprocess
import threading

shutil.copyfile("big", "copy")
with open("big", "rb") as source, open("again", "wb") as target:
    target.write(source.read())
with open("big", "rb") as source, open("mapped", "wb") as target:
    target.write(mmap.mmap(source.fileno(), 0, prot=mmap.PROT_READ))
with open("big", "rb") as source, open("range", "wb") as target:
    while os.copy_file_range(source.fileno(), target.fileno(), 1 << 20):
        pass

server = socket.create_server(("127.0.0.1", 0))


def send():
    with socket.create_connection(server.getsockname()) as to, open("big", "rb") as source:
        to.sendfile(source)


sender = threading.Thread(target=send)
sender.start()
connection = server.accept()[0]
while connection.recv(65536):
    pass
sender.join()
with open("big", "rb") as source:
    subprocess.run(["cat"], stdin=source, stdout=subprocess.PIPE, check=True)
left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
left.send(b"x" * 4096)
assert right.recv(16, socket.MSG_PEEK | socket.MSG_TRUNC)
assert len(right.recv(8192)) == 4096
