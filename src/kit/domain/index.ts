/** How a domain states what it has, and what it gives when it is opened. */
export { defineDomain, offer, runsOf, type AnyDomain, type Offer } from './domain.js';
