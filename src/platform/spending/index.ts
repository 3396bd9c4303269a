export { currentAccount, onAccount, spend, streamOnAccount, type Account } from './spending.js';
