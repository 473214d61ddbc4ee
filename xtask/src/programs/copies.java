import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Copies a file in four ways, and sends it over TCP. */
class M {
    public static void main(String[] words) throws Exception {
        Path big = Path.of("big");
        Files.copy(big, Path.of("copy"));
        Files.write(Path.of("again"), Files.readAllBytes(big));
        try (var in = FileChannel.open(big);
             var out = FileChannel.open(Path.of("transferred"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            in.transferTo(0, in.size(), out);
        }
        try (var in = FileChannel.open(big);
             var out = FileChannel.open(Path.of("mapped"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            out.write(in.map(FileChannel.MapMode.READ_ONLY, 0, in.size()));
        }
        var server = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", 0));
        var sender = new Thread(() -> {
            try (var to = SocketChannel.open(server.getLocalAddress()); var in = FileChannel.open(big)) {
                long sent = 0;
                while (sent < in.size()) {
                    sent += in.transferTo(sent, in.size() - sent, to);
                }
            } catch (Exception e) {
                throw new RuntimeException(e);
            }
        });
        sender.start();
        try (var from = server.accept()) {
            var buffer = ByteBuffer.allocateDirect(65536);
            while (from.read(buffer) >= 0) {
                buffer.clear();
            }
        }
        sender.join();
    }
}
