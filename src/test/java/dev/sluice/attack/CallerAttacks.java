package dev.sluice.attack;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;

import dev.sluice.testing.RawHttpConnection;

/** Attempts to be another caller, or to reach the upstream by another method. */
final class CallerAttacks {

    private static final List<String> NAMES = List.of("X-User-Id: alice", "X-User-Tier: enterprise", "X-Forwarded-For: 9.9.9.9",
            "Forwarded: for=9.9.9.9", "X-Real-IP: 9.9.9.9", "X_User_Id: alice", "X-Team-Id: red", "X-Org-Id: acme",
            "X-Forwarded-For: 9.9.9.9\r\nForwarded: for=8.8.8.8");
    private static final List<String> OVERRIDES = List.of("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method",
            "X_HTTP_Method_Override");

    private CallerAttacks() {
    }

    private static String get(String path, String fields) {
        return "GET " + path + " HTTP/1.1\r\nHost: sluice\r\n" + fields + "\r\n\r\n";
    }

    private static long remaining(RawHttpConnection.Response response) {
        return Long.parseLong(response.header("X-RateLimit-Remaining"));
    }

    /** All requests count in the window of the peer's address. */
    static String inventedCallers(Target target) throws Exception {
        var address = target.nextAddress();
        int rounds = 40;
        long last = remaining(target.send(address, get("/things", "Accept: */*")));
        for (int i = 0; i < rounds; i++) {
            for (var name : NAMES) {
                var response = target.send(address, get("/things", name.replace("9.9.9.9", "9.9.9." + i)));
                assertThat(response.status()).as(name).isEqualTo(200);
                assertThat(remaining(response)).as(name).isEqualTo(--last);
            }
        }
        assertThat(target.upstream().received().stream().flatMap(exchange -> Stream.concat(
                exchange.fields("X-User-Id").stream(), exchange.fields("X-User-Tier").stream())))
                .doesNotContain("alice", "enterprise");
        return rounds * NAMES.size() + " requests in the window of the address";
    }

    static String tokensWithoutSubject(Target target) throws Exception {
        for (int i = 0; i < 20; i++) {
            var token = target.jwt().tokenWithoutSubject("alice" + i);
            assertThat(target.send(target.nextAddress(), get("/things", "Authorization: Bearer " + token)).status())
                    .isEqualTo(401);
        }
        return "20 tokens: 401";
    }

    static String methodOverrides(Target target) throws Exception {
        target.upstream().clear();
        var address = target.nextAddress();
        int sent = 0;
        for (var name : OVERRIDES) {
            for (var method : List.of("DELETE", "delete", "PUT", "PATCH")) {
                target.send(address, RawHttpConnection.post("/things", "{}", name + ": " + method));
                target.send(address, RawHttpConnection.post("/things?_method=" + method, "{}"));
                sent += 2;
            }
        }
        assertThat(target.upstream().received()).filteredOn(exchange -> exchange.path().startsWith("/things"))
                .isNotEmpty().allSatisfy(exchange -> {
                    assertThat(exchange.head()).noneMatch(line -> line.toLowerCase().contains("method"));
                    assertThat(exchange.target()).doesNotContain("_method");
                });
        return sent + " overrides, none of which reached the upstream";
    }
}
