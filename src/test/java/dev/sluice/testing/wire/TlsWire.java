package dev.sluice.testing.wire;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.security.GeneralSecurityException;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

import io.netty.handler.ssl.util.InsecureTrustManagerFactory;

/** Connections of each version of HTTP over TLS, to a server with any certificate. HTTP/1.1 and HTTP/2 are chosen by ALPN. */
public final class TlsWire {

    private TlsWire() {
    }

    public static WireConnection open(Wire wire, int port) throws IOException {
        return switch (wire) {
            case HTTP_1_0 -> new Http1Wire(connect(port, null), wire);
            case HTTP_1_1 -> openHttp1(port);
            case HTTP_2 -> new Http2Wire(connect(port, "h2"), Http2Wire.MAX_WINDOW);
        };
    }

    public static Http1Wire openHttp1(int port) throws IOException {
        return new Http1Wire(connect(port, "http/1.1"), Wire.HTTP_1_1);
    }

    /** Sends a request over a new connection, and reads the response to its end. */
    public static WireResponse exchange(Wire wire, int port, WireRequest request) {
        try (var connection = open(wire, port)) {
            return connection.exchange(request.scheme("https"));
        } catch (IOException e) {
            throw new UncheckedIOException(wire + " over TLS " + request.method + ' ' + request.target, e);
        }
    }

    private static Socket connect(int port, String protocol) throws IOException {
        try {
            var tls = SSLContext.getInstance("TLS");
            tls.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
            var socket = (SSLSocket) tls.getSocketFactory().createSocket("127.0.0.1", port);
            if (protocol != null) {
                var parameters = socket.getSSLParameters();
                parameters.setApplicationProtocols(new String[]{protocol});
                socket.setSSLParameters(parameters);
            }
            socket.startHandshake();
            if (protocol != null && !protocol.equals(socket.getApplicationProtocol())) {
                throw new IOException("server has chosen " + socket.getApplicationProtocol() + " instead of " + protocol);
            }
            return socket;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
