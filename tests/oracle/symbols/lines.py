import os
import sys


def put(file, data):  # put begins
    for i in range(200):
        os.write(file, data)


put(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY), b"x" * 65536)
