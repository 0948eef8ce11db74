package dev.sluice.service.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.service.config.ServiceConfig;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;

class MethodOverridesTest {

    private static MethodOverrides overrides(ServiceConfig.MethodOverride setting) {
        return new MethodOverrides((ServiceConfig) Proxy.newProxyInstance(ServiceConfig.class.getClassLoader(),
                new Class<?>[]{ServiceConfig.class}, (proxy, method, arguments) -> setting));
    }

    private static final MethodOverrides DROP = overrides(ServiceConfig.MethodOverride.DROP);
    private static final MethodOverrides ALLOW = overrides(ServiceConfig.MethodOverride.ALLOW);

    private static HttpServerRequest request(String query, MultiMap headers) {
        return (HttpServerRequest) Proxy.newProxyInstance(HttpServerRequest.class.getClassLoader(),
                new Class<?>[]{HttpServerRequest.class}, (proxy, method, arguments) -> switch (method.getName()) {
                    case "headers" -> headers;
                    case "query" -> query;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {"X-HTTP-Method-Override", "x-http-method-override", "X-Method-Override", "X-HTTP-Method",
            "X_HTTP_Method_Override", "X.Method.Override", "X-HTTP_METHOD"})
    void fieldIsRemovedOrNamesAMethod(String name) {
        var headers = MultiMap.caseInsensitiveMultiMap().add("X-Kept", "1").add(name, "DELETE").add(name, " put ");
        assertThat(ALLOW.methods(request(null, headers))).containsExactly("DELETE", "put");
        ALLOW.removeFrom(headers);
        assertThat(headers.getAll(name)).hasSize(2);
        assertThat(DROP.methods(request(null, headers))).isEmpty();
        DROP.removeFrom(headers);
        assertThat(headers.names()).containsExactly("X-Kept");
    }

    /** In PHP, characters that a variable's name cannot have stand for the underscore. */
    @ParameterizedTest
    @CsvSource({"/a?_method=DELETE,/a", "/a?x=1&_method=DELETE&y=2,/a?x=1&y=2", "/a?_METHOD=DELETE&x,/a?x",
            "/a?%5Fmethod=DELETE,/a", "/a?%5fm%65thod=%44ELETE,/a", "/a?.method=DELETE,/a", "/a?[_method]=DELETE,/a",
            "/a?.method[x]=DELETE,/a", "/a?+_method=DELETE,/a",
            "/a?%20_method=DELETE,/a", "/a?_method%00x=DELETE,/a", "/a?x=1;_method=DELETE;y=2,/a?x=1;y=2",
            "/a?_method=DELETE;x=1&y,/a?x=1&y", "/a?x=1;_method=DELETE,/a?x=1", "/a?_method[]=DELETE,/a",
            "/a?_method%5B0%5D=DELETE,/a", "/a?x=%&_method=DELETE,/a?x=%"})
    void parameterIsRemovedOrNamesAMethod(String target, String kept) {
        var query = target.substring(target.indexOf('?') + 1);
        assertThat(ALLOW.methods(request(query, MultiMap.caseInsensitiveMultiMap()))).containsExactly("DELETE");
        assertThat(ALLOW.removeFrom(target)).isEqualTo(target);
        assertThat(DROP.removeFrom(target)).isEqualTo(kept);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a", "/a?", "/a?&&", "/a?method=DELETE", "/a?x_method=1&_methods=2&__method=3",
            "/a?x=_method=DELETE",
            "/a?%", "/a?x=1;y=2&", "/a?_", "/_method=DELETE", "/a?x=1&x=1"})
    void otherTargetsAreUnchanged(String target) {
        assertThat(DROP.removeFrom(target)).isSameAs(target);
    }
}
