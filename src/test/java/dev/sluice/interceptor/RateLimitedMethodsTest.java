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

import dev.sluice.api.Rate;
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

        @RateLimited(limit = 5, window = 60, per = "1m")
        void windowAndPer() {
        }

        @RateLimited(per = "1m")
        void perWithoutLimit() {
        }

        @RateLimited(limit = 5, per = "1m;1/s")
        void severalQuotasInPer() {
        }

        @RateLimited(value = "1/s", per = "1m")
        void rateAndPer() {
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

        @RateLimited(value = "5/minute", key = "header:, ip")
        void keyWithoutName() {
        }

        @RateLimited(value = "5/minute", key = "ip, tenant")
        void keyWithUnknownPart() {
        }

        @GET
        @Path("/{id}")
        @RateLimited(value = "5/minute", key = "path:other")
        void keyWithUnknownVariable(@RestPath String id) {
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

        @RateLimited(limit = 5, per = "${no.such.property:2}m")
        void perMinutes() {
        }

        @RateLimited(limit = 5, per = "month")
        void perMonth() {
        }

        @GET
        @Path("/{id}")
        @RateLimited(value = "5/minute", key = "{id}-{q}-{r}")
        void request(@RestPath String id, @QueryParam("q") String query, @RestQuery String r) {
        }

        @GET
        @Path("/{id}")
        @RateLimited(value = "5/minute", key = "header:X-Tenant?, path:id")
        void parts(@RestPath String id) {
        }

        @RateLimited(value = "5/minute", key = "constant: text, and so on")
        void constant() {
        }

        @RateLimited(value = "5/minute", key = "{0}-{tenant}")
        void call(String tenant) {
        }
    }

    static class Base {

        @RateLimited("1/s")
        void inherited(String value) {
        }

        @RateLimited("1/s")
        void overridden(String value) {
        }
    }

    static class Overloads extends Base {

        @RateLimited("1/s")
        void create(String value) {
        }

        @RateLimited("1/s")
        void create(int value, long[] more) {
        }

        @RateLimited("1/s")
        void single(String value) {
        }

        void single(int value) {
        }

        @RateLimited("1/s")
        void inherited(int value) {
        }

        @Override
        @RateLimited("2/s")
        void overridden(String value) {
        }
    }

    @RateLimited("1/s")
    static class LimitedClass {

        public void run() {
            run(0);
        }

        private void run(int value) {
        }
    }

    private final RateLimitedMethods methods = new RateLimitedMethods(ConfigProvider.getConfig());

    @ParameterizedTest
    @ValueSource(strings = {"windowAndPer", "perWithoutLimit", "severalQuotasInPer", "rateAndPer", "withoutRate", "invalidRate",
            "rateAndLimit", "withoutWindow", "unknownProperty", "costAboveLimit",
            "costOfZero", "keyWithoutName", "keyWithUnknownPart", "keyWithUnknownVariable"})
    void invalidAnnotationsAreRejected(String method) {
        assertThatThrownBy(() -> methods.of(InvalidBean.class, method(InvalidBean.class, method)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static Method method(Class<?> type, String name) {
        return Arrays.stream(type.getDeclaredMethods()).filter(found -> found.getName().equals(name)).findFirst().orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"request", "call", "parts", "constant"})
    void keysMayReferToParameters(String method) {
        assertThat(methods.of(ValidBean.class, method(ValidBean.class, method)).limits()).hasSize(1);
    }

    private String resource(Class<?> type, String name, Class<?>... parameters) throws NoSuchMethodException {
        var declaring = type;
        while (Arrays.stream(declaring.getDeclaredMethods()).noneMatch(
                found -> found.getName().equals(name) && Arrays.equals(found.getParameterTypes(), parameters))) {
            declaring = declaring.getSuperclass();
        }
        return methods.of(type, declaring.getDeclaredMethod(name, parameters)).limits().get(0).check().resource();
    }

    /** Has a resource name of more than 256 characters, like the overload that differs in the first parameter only. */
    static class ManyParameters {

        @RateLimited("1/s")
        void create(String first, StringBuilder a, StringBuilder b, StringBuilder c, StringBuilder d, StringBuilder e,
                StringBuilder f, StringBuilder g, StringBuilder h) {
        }

        @RateLimited("1/s")
        void create(Integer first, StringBuilder a, StringBuilder b, StringBuilder c, StringBuilder d, StringBuilder e,
                StringBuilder f, StringBuilder g, StringBuilder h) {
        }
    }

    @Test
    void longResourceNamesAreShortenedWithoutCollision() throws NoSuchMethodException {
        var parameters = new Class<?>[9];
        Arrays.fill(parameters, StringBuilder.class);
        parameters[0] = String.class;
        var first = resource(ManyParameters.class, "create", parameters);
        parameters[0] = Integer.class;
        var second = resource(ManyParameters.class, "create", parameters);
        assertThat(first).hasSize(256).matches("[0-9a-f]{16}~.*StringBuilder\\)").isNotEqualTo(second);
        assertThat(second).hasSize(256);
    }

    @Test
    void overloadsHaveResourcesOfTheirOwn() throws NoSuchMethodException {
        var name = Overloads.class.getName();
        assertThat(resource(Overloads.class, "create", String.class)).isEqualTo(name + ".create(java.lang.String)");
        assertThat(resource(Overloads.class, "create", int.class, long[].class)).isEqualTo(name + ".create(int,long[])");
        assertThat(resource(Overloads.class, "inherited", int.class)).isEqualTo(name + ".inherited(int)");
        assertThat(resource(Overloads.class, "inherited", String.class)).isEqualTo(name + ".inherited(java.lang.String)");
    }

    @Test
    void methodsWithoutLimitedOverloadsHaveTheirNameOnly() throws NoSuchMethodException {
        assertThat(resource(Overloads.class, "single", String.class)).isEqualTo(Overloads.class.getName() + ".single");
        assertThat(resource(Overloads.class, "overridden", String.class)).isEqualTo(Overloads.class.getName() + ".overridden");
        assertThat(resource(LimitedClass.class, "run")).isEqualTo(LimitedClass.class.getName() + ".run");
    }

    @Test
    void windowMayBeADuration() throws NoSuchMethodException {
        assertThat(methods.of(ValidBean.class, ValidBean.class.getDeclaredMethod("perMonth")).limits().get(0).check().rate())
                .isEqualTo(Rate.parse("5/calendar-month"));
        var limits = methods.of(ValidBean.class, ValidBean.class.getDeclaredMethod("perMinutes")).limits();
        assertThat(limits.get(0).check().rate()).isEqualTo(Rate.parse("5/120s"));
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
