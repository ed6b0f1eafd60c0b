// SPDX-License-Identifier: Apache-2.0

package flamegraph

// pageWidth is the width of the first drawing. The script fills the window.
const pageWidth = 1200

// Lengths in pixels and the amount of a drawing. The script gets them with the
// data and lays out by the same rules.
const (
	margin = 12 // left, right and below

	titleBase  = 32 // where the title stands
	titleGap   = 6  // below that
	lineHeight = 19 // of other text
	lineBelow  = 5  // from where a line stands to its lower end
	legendGap  = 4  // above the legend
	keyHeight  = 22 // of the legend's entries
	keySpace   = 20 // between them
	framesGap  = 8  // above the frames
	notesGap   = 4  // above the notes

	rowHeight = 18 // of frames
	boxGap    = 1  // between them
	narrowest = 2  // boxes are at least that wide
	longest   = 48 // a run of frames ends there, to be opened part by part
	textInset = 4  // from a box's left edge to its label
	textBase  = 12 // from its top to where the label stands

	maxBoxes   = 8000
	minLetters = 3 // shorter labels are left out
)

// dimensions hands these to the script.
type dimensions struct {
	Margin     int     `json:"margin"`
	TitleBase  int     `json:"titleBase"`
	TitleGap   int     `json:"titleGap"`
	Line       int     `json:"line"`
	LineBelow  int     `json:"lineBelow"`
	LegendGap  int     `json:"legendGap"`
	Key        int     `json:"key"`
	KeySpace   int     `json:"keySpace"`
	FramesGap  int     `json:"framesGap"`
	NotesGap   int     `json:"notesGap"`
	Row        int     `json:"row"`
	Gap        int     `json:"gap"`
	Narrowest  float64 `json:"narrowest"`
	Longest    int     `json:"longest"`
	Inset      int     `json:"inset"`
	Base       int     `json:"base"`
	MaxBoxes   int     `json:"maxBoxes"`
	MinLetters int     `json:"minLetters"`
	Letter     float64 `json:"letter"`
}

func newDimensions() dimensions {
	return dimensions{
		Margin: margin, TitleBase: titleBase, TitleGap: titleGap, Line: lineHeight, LineBelow: lineBelow,
		LegendGap: legendGap, Key: keyHeight, KeySpace: keySpace, FramesGap: framesGap, NotesGap: notesGap,
		Row: rowHeight, Gap: boxGap, Narrowest: narrowest, Longest: longest, Inset: textInset, Base: textBase,
		MaxBoxes: maxBoxes, MinLetters: minLetters, Letter: frameLetter,
	}
}
