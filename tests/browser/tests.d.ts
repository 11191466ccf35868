// What tests do in the page: the page's own checks know its elements, and tests put there whatever they like.

interface Window {
  [name: string]: any;
}

interface Document {
  getElementById(id: string): any;
  querySelector(selector: string): any;
  readonly activeElement: any;
}

interface PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
}
