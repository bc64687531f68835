/** Style sheets are the builder's: imported for what they do. */
declare module "*.css";
