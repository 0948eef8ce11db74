package dev.sluice.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.junit.jupiter.api.Test;

import dev.sluice.testing.Fuzzer;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;

/** Resolves a well-formed address from any content of the headers of a trusted proxy. */
class ClientAddressFuzzTest {

    private static final List<String> FORWARDED_FOR = List.of("203.0.113.9", "1.2.3.4, 10.0.0.1",
            "[2001:db8::1]:99, ::ffff:10.0.0.2", "fe80::1%eth0", "unknown, _hidden");
    private static final List<String> FORWARDED = List.of("for=203.0.113.9;proto=https",
            "for=\"[2001:db8::1]:99\", FOR=10.0.0.1", "by=1;host=x, for=_a");

    private record Config(Forwarding forwardedHeader) implements IdentityConfig {

        @Override
        public Map<String, ApiKey> apiKeys() {
            return Map.of();
        }

        @Override
        public Optional<List<String>> trustedProxies() {
            return Optional.of(List.of("127.0.0.0/8", "10.0.0.0/8", "fd00::/8"));
        }

        @Override
        public Optional<List<String>> identityProxies() {
            return Optional.empty();
        }

        @Override
        public Jwt jwt() {
            throw new UnsupportedOperationException();
        }
    }

    private static HttpServerRequest request(MultiMap headers) {
        return (HttpServerRequest) Proxy.newProxyInstance(HttpServerRequest.class.getClassLoader(),
                new Class<?>[]{HttpServerRequest.class}, (proxy, method, arguments) -> switch (method.getName()) {
                    case "headers" -> headers;
                    case "remoteAddress" -> SocketAddress.inetSocketAddress(1234, "127.0.0.1");
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    @Test
    void everyIdentifierIsAnAddress() {
        var headerNames = List.of(IdentityConfig.Forwarding.values());
        Fuzzer.run(5, random -> {
            var headers = MultiMap.caseInsensitiveMultiMap();
            for (int i = random.nextInt(3); i >= 0; i--) {
                headers.add("X-Forwarded-For", Fuzzer.mutate(random, Fuzzer.pick(random, FORWARDED_FOR)));
                headers.add("Forwarded", Fuzzer.mutate(random, Fuzzer.pick(random, FORWARDED)));
            }
            var resolver = new ClientAddressResolver(new Config(Fuzzer.pick(random, headerNames)));
            assertThat(resolver.identity(request(headers)).identifier()).matches("ip:[0-9a-f.:]{2,45}");
        });
    }
}
