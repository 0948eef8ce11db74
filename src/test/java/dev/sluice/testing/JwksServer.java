package dev.sluice.testing;

import java.nio.charset.StandardCharsets;
import java.util.Map;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/** Server of the keys of JWTs, at {@code /jwks}; closes all connections until the test lets it answer. */
public class JwksServer implements QuarkusTestResourceLifecycleManager {

    public static final String PATH = "/jwks";

    private final RawUpstream server = new RawUpstream();

    @Override
    public Map<String, String> start() {
        server.on(PATH, RawExchange::close);
        return Map.of("mp.jwt.verify.publickey.location", "http://localhost:" + server.port() + PATH);
    }

    @Override
    public void inject(TestInjector injector) {
        injector.injectIntoFields(this, field -> field.getType() == JwksServer.class);
    }

    public RawUpstream server() {
        return server;
    }

    /** Publishes keys. */
    public void publish(SigningKey... keys) {
        server.respond(PATH, response(keys));
    }

    /** Returns a response with keys. */
    public static String response(SigningKey... keys) {
        var document = SigningKey.jwks(keys);
        return "HTTP/1.1 200 OK\r\nContent-Length: " + document.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + document;
    }

    @Override
    public void stop() {
        server.close();
    }
}
