package dev.sluice.interceptor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Method;
import java.util.Arrays;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;

import org.eclipse.microprofile.config.ConfigProvider;
import org.jboss.resteasy.reactive.RestPath;
import org.jboss.resteasy.reactive.RestQuery;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.api.RateLimited;

class RateLimitedMethodsTest {

    static class InvalidBean {

        @RateLimited
        void withoutRate() {
        }

        @RateLimited("often")
        void invalidRate() {
        }

        @RateLimited(value = "1/s", limit = 1, window = 1)
        void rateAndLimit() {
        }

        @RateLimited(limit = 5)
        void withoutWindow() {
        }

        @RateLimited("${no.such.property}")
        void unknownProperty() {
        }

        @RateLimited(value = "5/minute", cost = 6)
        void costAboveLimit() {
        }

        @RateLimited(value = "5/minute", cost = 0)
        void costOfZero() {
        }

        @RateLimited(value = "5/minute", key = "{unknown}")
        void unknownParameter(String known) {
        }

        @GET
        @Path("/{id}")
        @RateLimited(value = "5/minute", key = "{body}")
        void unknownInRequest(@RestPath String id, String body) {
        }
    }

    static class ValidBean {

        @RateLimited("${no.such.property:7/minute}")
        void expressionWithDefault() {
        }

        @GET
        @Path("/{id}")
        @RateLimited(value = "5/minute", key = "{id}-{q}-{r}")
        void request(@RestPath String id, @QueryParam("q") String query, @RestQuery String r) {
        }

        @RateLimited(value = "5/minute", key = "{0}-{tenant}")
        void call(String tenant) {
        }
    }

    private final RateLimitedMethods methods = new RateLimitedMethods(ConfigProvider.getConfig());

    @ParameterizedTest
    @ValueSource(strings = {"withoutRate", "invalidRate", "rateAndLimit", "withoutWindow", "unknownProperty", "costAboveLimit",
            "costOfZero"})
    void invalidAnnotationsAreRejected(String method) {
        assertThatThrownBy(() -> methods.of(InvalidBean.class, method(InvalidBean.class, method)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static Method method(Class<?> type, String name) {
        return Arrays.stream(type.getDeclaredMethods()).filter(found -> found.getName().equals(name)).findFirst().orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"request", "call"})
    void keysMayReferToParameters(String method) {
        assertThat(methods.of(ValidBean.class, method(ValidBean.class, method)).limits()).hasSize(1);
    }

    @Test
    void expressionDefaultsApply() throws NoSuchMethodException {
        var limits = methods.of(ValidBean.class, ValidBean.class.getDeclaredMethod("expressionWithDefault"));
        assertThat(limits.limits()).singleElement().satisfies(limit -> {
            assertThat(limit.check().rate()).hasToString("7/minute");
            assertThat(limit.check().resource()).isEqualTo(ValidBean.class.getName() + ".expressionWithDefault");
        });
    }
}
