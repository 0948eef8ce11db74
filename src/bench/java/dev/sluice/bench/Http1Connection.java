package dev.sluice.bench;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/** Connection of HTTP/1.1, of whose responses only status, length and mode are parsed. The request is sent as it is. */
final class Http1Connection extends LoadConnection {

    private boolean mode;

    Http1Connection(SocketChannel channel) {
        super(channel);
    }

    @Override
    void send(byte[] request) throws IOException {
        write(request);
    }

    @Override
    boolean hasMode() {
        return mode;
    }

    @Override
    int parse(byte[] response, int length) throws IOException {
        int body = headerSectionEnd(response, length);
        if (body < 0 || length < body + contentLength(response, body, length)) {
            return INCOMPLETE;
        }
        mode = hasMode(response, body);
        discard(length);
        return (response[9] - '0') * 100 + (response[10] - '0') * 10 + response[11] - '0';
    }

    private static int headerSectionEnd(byte[] response, int length) {
        for (int i = 3; i < length; i++) {
            if (response[i] == '\n' && response[i - 1] == '\r' && response[i - 2] == '\n') {
                return i + 1;
            }
        }
        return -1;
    }

    /** Returns whether there is an X-RateLimit-Mode header; no other header of these servers has an "m" in that position. */
    private static boolean hasMode(byte[] response, int headerSectionEnd) {
        for (int i = 0; i < headerSectionEnd - 18; i++) {
            if (response[i] == '\n' && (response[i + 1] | 0x20) == 'x' && (response[i + 13] | 0x20) == 'm'
                    && response[i + 17] == ':') {
                return true;
            }
        }
        return false;
    }

    /** Returns the Content-Length, which all measured servers send. */
    private static int contentLength(byte[] response, int headerSectionEnd, int length) throws IOException {
        for (int i = 0; i < headerSectionEnd - 16; i++) {
            if (response[i] == '\n' && (response[i + 1] | 0x20) == 'c' && (response[i + 9] | 0x20) == 'l'
                    && response[i + 15] == ':') {
                int value = 0;
                for (int j = i + 17; response[j] != '\r'; j++) {
                    value = 10 * value + response[j] - '0';
                }
                return value;
            }
        }
        throw new IOException("no Content-Length: " + new String(response, 0, length, StandardCharsets.UTF_8));
    }
}
