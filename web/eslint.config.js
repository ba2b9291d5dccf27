import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import { readdirSync } from "node:fs";
import tseslint from "typescript-eslint";

/** A file of `files` may not import what `groups` match, for the reason in `message`. */
const zone = (files, groups, message) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns: [{ group: groups, message }] }] },
});

const features = readdirSync(new URL("./src/features", import.meta.url));

export default tseslint.config(
  { ignores: ["node_modules", "eslint.config.js", "src/shared/api/openapi.d.ts"] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { "react-hooks": hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      "max-lines": ["error", 400],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
    },
  },
  zone(["src/shared/**"], ["@/features/**", "@/app/**"], "shared knows nothing of features or of the app."),
  ...features.map((name) =>
    zone(
      [`src/features/${name}/**`],
      ["@/app/**", "../*", ...features.filter((other) => other !== name).map((other) => `@/features/${other}/**`)],
      "A feature imports shared/ and itself; the app puts features together.",
    ),
  ),
);
