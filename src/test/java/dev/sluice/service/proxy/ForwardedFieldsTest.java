package dev.sluice.service.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import dev.sluice.testing.RawExchange;
import dev.sluice.testing.wire.Wire;
import dev.sluice.testing.wire.WireRequest;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;

/** Fields that say who the client is come from Sluice or from a trusted peer. */
@QuarkusTest
@TestProfile(HopProfile.class)
@WithTestResource(RawUpstreamResource.class)
class ForwardedFieldsTest extends HopTestBase {

    private static final List<String> TWINS = List.of("X_Forwarded_For", "X_Forwarded_Proto", "X_Forwarded_Host",
            "X-Forwarded_For", "x_forwarded-proto", "X_FORWARDED_HOST", "X_User_Id", "x_user_tier", "X-User_Id", "X_User-Tier",
            "X.User.Id", "X!User!Id", "x-user.tier", "X~Forwarded~For",
            "X.Forwarded-Host");
    private static final List<String> FIELDS = List.of("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded",
            "X-User-Id", "X-User-Tier");

    private static String head(RawExchange exchange) {
        return String.join("\n", exchange.head());
    }

    @ParameterizedTest
    @EnumSource
    void fieldsOfAnUntrustedPeerAreReplaced(Wire wire) {
        var request = WireRequest.get("/forged").field("Host", "public.test");
        TWINS.forEach(name -> request.field(name, "forged"));
        FIELDS.forEach(name -> request.field(name, "forged"));
        FIELDS.forEach(name -> request.field(name.toUpperCase(java.util.Locale.ROOT), "forged"));
        assertThat(wire.exchange(port, request).status()).isEqualTo(200);
        var received = upstream.only("/forged");
        assertThat(head(received)).doesNotContain("forged\n").doesNotEndWith(": forged");
        assertThat(received.fields("X-Forwarded-For")).containsExactly("127.0.0.1");
        assertThat(received.fields("X-Forwarded-Proto")).containsExactly("http");
        assertThat(received.fields("X-Forwarded-Host")).containsExactly("public.test");
        assertThat(received.fields("X-User-Id")).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void fieldsOfATrustedPeerCount(Wire wire) {
        wire.exchange(port, HopProfile.TRUSTED_PEER,
                WireRequest.get("/proxied").field("X-Forwarded-For", "203.0.113.9").field("X-Forwarded-Proto", "https")
                        .field("X-Forwarded-Host", "public.test").field("Forwarded", "for=203.0.113.9;proto=https")
                        .field("X_Forwarded_For", "203.0.113.10"));
        var received = upstream.only("/proxied");
        assertThat(String.join(", ", received.fields("X-Forwarded-For"))).isEqualTo("203.0.113.9, 127.0.0.2");
        assertThat(received.fields("X-Forwarded-Proto")).containsExactly("https");
        assertThat(received.fields("X-Forwarded-Host")).containsExactly("public.test");
        assertThat(received.fields("Forwarded")).containsExactly("for=203.0.113.9;proto=https");
        assertThat(received.fields("X_Forwarded_For")).containsExactly("203.0.113.10");
    }

    @ParameterizedTest
    @EnumSource
    void methodOverridesAreRemoved(Wire wire) {
        assertThat(wire
                .exchange(port, WireRequest.post("/overridden?a=1&_method=DELETE").field("X-HTTP-Method-Override", "DELETE")
                        .field("X_Method_Override", "DELETE").field("X-HTTP-Method", "DELETE").field("X-Kept", "DELETE"))
                .status())
                .isEqualTo(200);
        var received = upstream.only("/overridden");
        assertThat(received.target()).isEqualTo("/overridden?a=1");
        assertThat(received.head()).filteredOn(line -> line.endsWith("DELETE")).hasSize(1).first().asString()
                .startsWithIgnoringCase("X-Kept: ");
    }

    /** The :scheme of an HTTP/2 request is set by the client and may not be that of its connection. */
    @Test
    void protocolIsThatOfTheConnection() {
        for (var scheme : List.of("http", "https", "ftp")) {
            Wire.HTTP_2.exchange(port, WireRequest.get("/scheme-" + scheme).scheme(scheme));
            assertThat(upstream.received("/scheme-" + scheme))
                    .allSatisfy(received -> assertThat(received.fields("X-Forwarded-Proto")).containsExactly("http"));
        }
        assertThat(upstream.received()).isNotEmpty();
    }

    /** A target in absolute form determines the host (RFC 9112, section 3.2.2). */
    @ParameterizedTest
    @CsvSource({"http://other.test/absolute, other.test", "http://other.test:81/absolute?a@b, other.test:81",
            "HTTP://user@other.test/absolute, other.test"})
    void hostOfAnAbsoluteTargetCounts(String target, String host) {
        assertThat(Wire.HTTP_1_1.exchange(port, WireRequest.get(target).field("Host", "sluice.test")).status()).isEqualTo(200);
        var received = upstream.received().get(0);
        assertThat(received.target()).startsWith("/absolute");
        assertThat(received.fields("Host")).containsExactly(host);
        assertThat(received.fields("X-Forwarded-Host")).containsExactly(host);
    }
}
