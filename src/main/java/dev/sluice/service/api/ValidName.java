package dev.sluice.service.api;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import jakarta.validation.Constraint;
import jakarta.validation.ConstraintValidator;
import jakarta.validation.ConstraintValidatorContext;
import jakarta.validation.Payload;

import dev.sluice.api.Identifiers;

/** Requires a name as defined by {@link Identifiers}; null is valid. */
@Target({ElementType.FIELD, ElementType.PARAMETER, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Constraint(validatedBy = ValidName.Validator.class)
public @interface ValidName {

    String message() default "must have 1 to " + Identifiers.MAX_LENGTH + " characters and no unpaired surrogate";

    Class<?>[] groups() default {};

    Class<? extends Payload>[] payload() default {};

    /** Checks a name. */
    class Validator implements ConstraintValidator<ValidName, String> {

        @Override
        public boolean isValid(String name, ConstraintValidatorContext context) {
            return name == null || Identifiers.isValid(name);
        }
    }
}
