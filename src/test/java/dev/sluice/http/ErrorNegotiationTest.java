package dev.sluice.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.impl.HeaderParser;
import io.vertx.ext.web.impl.ParsableHeaderValuesContainer;
import io.vertx.ext.web.impl.ParsableMIMEValue;

/** An error is a problem of RFC 9457 only for clients that ask for one by name and do not accept plain JSON by name. */
class ErrorNegotiationTest {

    /** @param accept the request's Accept header; null if it has none */
    private static RoutingContext request(String accept) {
        var accepted = HeaderParser.sort(HeaderParser.convertToParsedHeaderValues(accept == null ? "" : accept,
                ParsableMIMEValue::new));
        accepted.forEach(ParsableMIMEValue::forceParse);
        var headers = new ParsableHeaderValuesContainer(List.copyOf(accepted), List.of(), List.of(), List.of(),
                new ParsableMIMEValue(""));
        var request = proxy(HttpServerRequest.class, "getHeader", accept);
        return (RoutingContext) Proxy.newProxyInstance(ErrorNegotiationTest.class.getClassLoader(),
                new Class<?>[]{RoutingContext.class}, (proxy, method, arguments) -> switch (method.getName()) {
                    case "request" -> request;
                    case "parsedHeaders" -> headers;
                    default -> throw new UnsupportedOperationException(method.toString());
                });
    }

    private static <T> T proxy(Class<T> type, String name, Object result) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type}, (proxy, method, arguments) -> {
            assertThat(method.getName()).isEqualTo(name);
            assertThat(arguments).containsExactly(HttpHeaders.ACCEPT);
            return result;
        }));
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/problem+json", "application/problem+json;q=0.1", "APPLICATION/Problem+JSON",
            "text/html, application/problem+json", "application/problem+json, */*", "application/*, application/problem+json",
            "application/problem+json, application/json;q=0", "application/vnd.api+json, application/problem+json;q=0.5"})
    void problemIsForClientsThatNameItOnly(String accept) {
        assertThat(ErrorResponse.contentType(request(accept))).isEqualTo("application/problem+json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "*/*", "application/*", "application/json", "text/html", "application/vnd.api+json",
            "application/problem+xml", "application/problem+json;q=0", "application/problem+json, application/json",
            "application/problem+json, application/json;q=0.1", "application/json;q=0.1, application/problem+json;q=0.9"})
    void plainJsonIsForAllOthers(String accept) {
        assertThat(ErrorResponse.contentType(request(accept))).isEqualTo("application/json");
    }

    @Test
    void plainJsonIsForClientsWithoutAPreference() {
        assertThat(ErrorResponse.contentType(request(null))).isEqualTo("application/json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json", "application/problem+json"})
    void responseHasTheTypeOfItsBody(String accept) {
        var error = ErrorResponse.storeUnavailable();

        try (var response = error.toResponse(request(accept))) {
            assertThat(response.getStatus()).isEqualTo(503);
            assertThat(response.getMediaType()).hasToString(accept);
            assertThat(response.getEntity()).isEqualTo(error.body(accept));
            assertThat(response.getHeaders()).doesNotContainKey("WWW-Authenticate");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json", "application/problem+json"})
    void unauthorizedResponseHasAChallengeInBothForms(String accept) {
        try (var response = ErrorResponse.unauthorized("No token").toResponse(request(accept))) {
            assertThat(response.getStatus()).isEqualTo(401);
            assertThat(response.getHeaderString("WWW-Authenticate")).isEqualTo("Bearer");
        }
    }
}
